/**
 * Whether a text refers to a secret (`$secret://…`, or `$env://…` in any case of `env`) instead of being one: what it
 * stands for is not known yet. The spellings are those that the resource schemas take.
 */
export function isSecretReference(text: string): boolean {
  return text.startsWith("$secret://") || /^\$env:\/\//i.test(text);
}
