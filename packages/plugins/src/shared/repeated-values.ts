/** Adds a value under a name; a name that comes again has a list. Takes the same time however often it comes. */
export function addValue<TValue extends string | boolean>(
  values: Map<string, TValue | TValue[]>,
  name: string,
  value: TValue,
): void {
  const known = values.get(name);
  if (known === undefined) values.set(name, value);
  else if (Array.isArray(known)) known.push(value);
  else values.set(name, [known, value]);
}
