import type { RequestContext } from "@fngate/plugin-kit";

/** The token that came with a request: nothing when there is none, `"malformed"` when the field cannot be read. */
export type BearerToken = { readonly text: string } | "malformed" | undefined;

/** Looks into `Authorization`; `fallback` is what `X-Access-Token` had. */
export function findBearerToken({ request }: RequestContext, fallback: string | undefined): BearerToken {
  const value = request.headers.get("authorization");
  if (value === undefined) return fallback === undefined ? undefined : { text: fallback };
  const space = value.indexOf(" ");
  if (space < 0) return "malformed";
  return value.slice(0, space).toLowerCase() === "bearer" ? { text: value.slice(space + 1) } : undefined;
}
