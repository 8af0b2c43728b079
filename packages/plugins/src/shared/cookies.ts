import type { HeaderList } from "@fngate/kernel";

/** Takes the cookies of these names off a request; its fields stay as they came where it has none of them. */
export function removeCookies(headers: HeaderList, names: ReadonlySet<string>): void {
  const pairs = headers
    .getAll("cookie")
    .flatMap((value) => value.split(";"))
    .map((pair) => pair.trim());
  const kept = pairs.filter((pair) => pair !== "" && !names.has(pair.split("=", 1)[0]?.trim() ?? ""));
  if (kept.length === pairs.length) return;
  if (kept.length === 0) headers.delete("cookie");
  else headers.set("Cookie", kept.join("; "));
}
