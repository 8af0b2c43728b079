/** Hands every child of `value` that it selects to `emit`. */
export type Selector = (value: unknown, emit: (child: unknown) => void) => void;

/** A member of an object; nothing for arrays and for what objects inherit. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

/** Selects the member of that name. */
export function selectName(name: string): Selector {
  return (value, emit) => {
    const child = memberOf(value, name);
    if (child !== undefined) emit(child);
  };
}

/** Selects one item, counted from the end when negative. */
export function selectIndex(index: number): Selector {
  return (value, emit) => {
    const child: unknown = Array.isArray(value) ? value.at(index) : undefined;
    if (child !== undefined) emit(child);
  };
}

/** `[start:end:step]`, where every part may be missing and the end is not included. */
export interface Slice {
  readonly start: number | undefined;
  readonly end: number | undefined;
  /** At least 1. */
  readonly step: number;
}

/** Selects the items of a slice. */
export function selectSlice({ start, end, step }: Slice): Selector {
  return (value, emit) => {
    if (!Array.isArray(value)) return;
    for (const [index, child] of value.slice(start, end).entries()) if (index % step === 0) emit(child);
  };
}

/** Selects every child. */
export const selectAll: Selector = (value, emit) => {
  if (typeof value !== "object" || value === null) return;
  for (const child of Object.values(value)) emit(child);
};

/** Selects the children for which `holds` does. */
export function selectWhere(holds: (child: unknown) => boolean): Selector {
  return (value, emit) =>
    selectAll(value, (child) => {
      if (holds(child)) emit(child);
    });
}
