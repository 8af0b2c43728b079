import type { DiagnosticCode, Finding } from "../diagnostic.ts";

/** Collects what is wrong with one object while its stages run. */
export class Findings {
  readonly list: Finding[] = [];
  /** The object, e.g. `route/1`. */
  readonly owner: string;

  constructor(owner: string) {
    this.owner = owner;
  }

  /** The object cannot be used. */
  error(code: DiagnosticCode, path: string, message: string): undefined {
    this.list.push({ severity: "error", code, path, message });
  }

  /** A part of the object is left out. */
  warn(code: DiagnosticCode, path: string, message: string): void {
    this.list.push({ severity: "warning", code, path, message });
  }
}
