/** What a finished `apisix.yaml` ends with. */
export const END_MARK = "#END";

/** Tells whether a YAML file has come to its end; blanks may follow the mark. APISIX looks at the last ten bytes. */
export function hasEndMark(text: string): boolean {
  return text.slice(-10).trimEnd().endsWith(END_MARK);
}
