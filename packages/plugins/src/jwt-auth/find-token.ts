import type { RequestContext } from "@fngate/plugin-kit";
import { removeCookies } from "../shared/cookies.ts";
import { withoutArgument } from "../shared/query-arguments.ts";
import type { JwtAuthConfig } from "./schema.ts";

/** A token as it was presented. */
export interface PresentedToken {
  readonly text: string;
  /** Takes it off the request. */
  hide(): void;
}

/** Where tokens are looked for. */
export interface TokenPlaces {
  /** Lower case. */
  readonly header: string;
  readonly query: string;
  readonly cookie: string;
}

/** The places of a configuration. */
export function placesOf({ cookie, header, query }: JwtAuthConfig): TokenPlaces {
  return { header: header.toLowerCase(), query, cookie };
}

/** Looks for the token in field, argument and cookie, in this order. */
export function findToken(context: RequestContext, places: TokenPlaces): PresentedToken | undefined {
  return inHeader(context, places.header) ?? inQuery(context, places.query) ?? inCookie(context, places.cookie);
}

function inHeader({ request }: RequestContext, name: string): PresentedToken | undefined {
  const value = request.headers.get(name);
  if (value === undefined) return undefined;
  return { text: value.replace(/^bearer /i, ""), hide: () => request.headers.delete(name) };
}

function inQuery({ request, variables }: RequestContext, name: string): PresentedToken | undefined {
  const text = variables.get(`arg_${name}`);
  if (typeof text !== "string") return undefined;
  return {
    text,
    hide() {
      request.query = withoutArgument(request.query, name);
    },
  };
}

function inCookie({ request, variables }: RequestContext, name: string): PresentedToken | undefined {
  const text = variables.get(`cookie_${name}`);
  if (typeof text !== "string") return undefined;
  return { text, hide: () => removeCookies(request.headers, new Set([name])) };
}
