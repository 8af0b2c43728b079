import { formatPath, type Path } from "./tree.ts";

/** Where values of a configuration come from: file and line, environment variable, flag, or our default. */
export class Origins {
  readonly #byPath = new Map<string, string>();
  readonly #ofMaps = new Map<string, string>();

  /** Notes where a map begins; keys that it lacks keep the origin of their default. */
  setMap(path: Path, origin: string): void {
    this.#ofMaps.set(formatPath(path), origin);
  }

  /** Notes the origin of one value; what is below it keeps its own. */
  set(path: Path, origin: string): void {
    this.#byPath.set(formatPath(path), origin);
  }

  /** Notes the origin of a value that replaces whatever was at and below its path. */
  replace(path: Path, origin: string): void {
    const prefix = formatPath(path);
    for (const known of this.#byPath.keys()) {
      if (known.startsWith(`${prefix}.`) || known.startsWith(`${prefix}[`)) this.#byPath.delete(known);
    }
    this.#byPath.set(prefix, origin);
  }

  /** The origin of a value, or else of the nearest list around it, which replaces as a whole; `default` when nothing set it. */
  of(path: Path): string {
    const ofMap = this.#ofMaps.get(formatPath(path));
    if (ofMap !== undefined) return ofMap;
    for (let length = path.length; length > 0; length--) {
      const origin = this.#byPath.get(formatPath(path.slice(0, length)));
      if (origin !== undefined) return origin;
    }
    return "default";
  }
}
