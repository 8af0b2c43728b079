/** Typing mistakes that still count as meaning a name. */
const MOST_EDITS = 3;

/** The candidate that `name` was most likely meant to be, or nothing when none is near. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestEdits = Math.min(MOST_EDITS, Math.ceil(name.length / 2)) + 1;
  for (const candidate of candidates) {
    const edits = editsBetween(name, candidate);
    if (edits < bestEdits) [best, bestEdits] = [candidate, edits];
  }
  return best;
}

/** Levenshtein distance: insertions, deletions and replacements between two texts. */
function editsBetween(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...left].entries()) {
    const current = [row + 1];
    for (let column = 0; column < right.length; column++) {
      const replaced = (previous[column] ?? 0) + (letter === right[column] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
