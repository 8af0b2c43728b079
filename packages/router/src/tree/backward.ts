import { type RadixNode, slotOf } from "./radix-node.ts";

/** A text from its end to its beginning by code unit, as a key of a tree that is read backwards. */
export function backwards(text: string): string {
  return text.split("").toReversed().join("");
}

/** As `stepDown`, reading the text from its end: no request pays for a reversed copy. */
export function stepBack<TPayload>(node: RadixNode<TPayload>, text: string): RadixNode<TPayload> | undefined {
  const slot = slotOf(node.labels, text.charCodeAt(text.length - 1 - node.end));
  if (slot < 0) return undefined;
  const child = node.children[slot] as RadixNode<TPayload>;
  return endsAlong(child, text, node.end + 1) ? child : undefined;
}

/** As `runsThrough`, reading the text from its end. */
export function endsAlong<TPayload>(node: RadixNode<TPayload>, text: string, from: number): boolean {
  const { key, end } = node;
  if (text.length < end) return false;
  const last = text.length - 1;
  for (let index = from; index < end; index += 1) {
    if (key.charCodeAt(index) !== text.charCodeAt(last - index)) return false;
  }
  return true;
}
