/** What decides between the candidates of one group. */
export interface Ranked {
  readonly priority: number;
  readonly uri: string;
  readonly id: string;
}

/**
 * Negative when `left` is tried before `right`: higher priority, then longer pattern, then smaller id.
 * Source: APISIX routing, "Order by path". APISIX breaks ties by age, which does not survive a restart.
 */
export function compareRanks(left: Ranked, right: Ranked): number {
  if (left.priority !== right.priority) return right.priority - left.priority;
  if (left.uri.length !== right.uri.length) return right.uri.length - left.uri.length;
  return compareText(left.id, right.id) || compareText(left.uri, right.uri);
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

const doubleView = new DataView(new ArrayBuffer(8));

/** A text whose order by code unit is the order of {@link compareRanks}, for ids without NUL. */
export function rankKey({ priority, uri, id }: Ranked): string {
  return `${descendingNumberKey(priority)}${String.fromCharCode(0xffff - Math.min(uri.length, 0xffff))}${id}\0${uri}`;
}

/** Four units that sort numbers from large to small: the bits of an IEEE double, made to sort as unsigned. */
function descendingNumberKey(value: number): string {
  doubleView.setFloat64(0, value === 0 ? 0 : value);
  const high = doubleView.getUint16(0);
  // Negative numbers already sort from large to small by their bits; positive ones have to be turned round.
  const isNegative = high >= 0x8000;
  const mask = isNegative ? 0 : 0x7fff;
  const rest = isNegative ? 0 : 0xffff;
  return String.fromCharCode(
    high ^ mask,
    doubleView.getUint16(2) ^ rest,
    doubleView.getUint16(4) ^ rest,
    doubleView.getUint16(6) ^ rest,
  );
}
