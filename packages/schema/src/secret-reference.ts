/**
 * Tells whether a value refers to a secret (`$secret://…`, or `$env://…` in any case of `env`) instead of being one.
 *
 * Wherever a string is expected such a reference passes every further rule (pattern, length, enum): what it stands
 * for is known to the data plane only. APISIX: secrets in the resource schemas.
 */
export function isSecretReference(value: unknown): boolean {
  return typeof value === "string" && (value.startsWith("$secret://") || /^\$env:\/\//i.test(value));
}
