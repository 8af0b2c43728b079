import type { ConsumerDirectory, Credential, Reply, RequestContext } from "@fngate/plugin-kit";
import { z } from "zod";

/** Configuration that every authentication plugin has beside its own. Wire names. */
export const authFields = {
  hide_credentials: z
    .boolean()
    .default(false)
    .describe("Whether the credentials are taken off the request before it goes on."),
  anonymous_consumer: z
    .string()
    .min(1)
    .optional()
    .describe("Name of the consumer that counts as the caller when nobody can be authenticated; absent: status 401."),
};

/** The `realm` of a challenge: printable ASCII without `"` and `\`. */
export function realmField(fallback: string) {
  return z
    .string()
    .min(1)
    .max(128)
    .regex(/^[ -!#-[\]-~]+$/)
    .default(fallback)
    .describe("Realm named in the `WWW-Authenticate` of a refusal.");
}

/** How an authentication ended: with somebody, or with the reason why with nobody. */
export type Authentication<TConfig> = Credential<TConfig> | string;

/** What {@link conclude} works with. */
export interface Conclusion {
  readonly consumers: ConsumerDirectory<unknown>;
  /** Value of `WWW-Authenticate`. */
  readonly challenge: string;
  readonly anonymousConsumer: string | undefined;
}

/** Attaches whoever was found, else the anonymous consumer; else the refusal (APISIX plugins, authentication flow). */
export function conclude(
  context: RequestContext,
  found: Authentication<unknown>,
  { anonymousConsumer, challenge, consumers }: Conclusion,
): Reply | undefined {
  if (typeof found !== "string") {
    context.attachConsumer(found.consumer);
    return undefined;
  }
  if (anonymousConsumer === undefined) return unauthorized(challenge, found);
  const anonymous = consumers.findByName(context, anonymousConsumer);
  if (anonymous === undefined) return unauthorized(challenge, "Invalid user authorization");
  context.attachConsumer(anonymous);
  return undefined;
}

function unauthorized(challenge: string, message: string): Reply {
  return { kind: "reply", status: 401, headers: ["WWW-Authenticate", challenge], body: { message } };
}
