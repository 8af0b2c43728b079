/** Something with its share of the turns. */
export interface Weighted<TValue> {
  readonly value: TValue;
  readonly weight: number;
}

/**
 * Takes turns by weight: over as many turns as the weights add up to, each value comes up as often as its weight, and
 * the turns of one are spread among those of the others (nginx's smooth weighted round robin). Values of weight 0
 * never come up; nothing comes up when all of them are.
 */
export function takeTurns<TValue>(entries: readonly Weighted<TValue>[]): () => TValue | undefined {
  const turns = entries.filter(({ weight }) => weight > 0).map((entry) => ({ ...entry, credit: 0 }));
  const total = turns.reduce((sum, { weight }) => sum + weight, 0);
  const [only] = turns;
  if (turns.length === 1 && only !== undefined) return () => only.value;
  return () => {
    let best: (typeof turns)[number] | undefined;
    for (const turn of turns) {
      turn.credit += turn.weight;
      if (best === undefined || turn.credit > best.credit) best = turn;
    }
    if (best === undefined) return undefined;
    best.credit -= total;
    return best.value;
  };
}
