import { messageOf } from "@fngate/kernel";
import type { PluginDeps, PluginInstance, RequestContext } from "@fngate/plugin-kit";
import { type Authentication, conclude } from "../shared/auth.ts";
import type { JwtAuthConsumer } from "./consumer-schema.ts";
import { findToken, placesOf } from "./find-token.ts";
import type { JwtAuthConfig } from "./schema.ts";
import { readClaims, verifyToken } from "./verify-token.ts";

type Deps = PluginDeps<JwtAuthConsumer>;
type Found = Authentication<JwtAuthConsumer>;

/** Sets up one configuration: whoever presents a token that a consumer signed is that consumer. */
export function authenticateByToken(config: JwtAuthConfig, deps: Deps): PluginInstance {
  const conclusion = {
    consumers: deps.consumers,
    challenge: `Bearer realm="${config.realm}"`,
    anonymousConsumer: config.anonymous_consumer,
  };
  const places = placesOf(config);
  return {
    rewrite(context) {
      const token = findToken(context, places);
      if (token === undefined) return conclude(context, "Missing JWT token in request", conclusion);
      return authenticate(context, token.text, { config, deps }).then((found) => {
        const refusal = conclude(context, found, conclusion);
        // A refused request keeps it for the next alternative (`multi-auth`).
        if (refusal === undefined && config.hide_credentials) token.hide();
        return refusal;
      });
    },
  };
}

interface Plugin {
  readonly config: JwtAuthConfig;
  readonly deps: Deps;
}

async function authenticate(context: RequestContext, token: string, { config, deps }: Plugin): Promise<Found> {
  const claims = readClaims(token);
  if (claims === undefined) return "JWT token invalid";
  const key = Object.hasOwn(claims, config.key_claim_name) ? claims[config.key_claim_name] : undefined;
  if (key === undefined || key === null || key === false) return "missing user key in JWT token";
  const found = typeof key === "string" ? deps.consumers.find(context, key) : undefined;
  if (found === undefined) return "Invalid user key in JWT token";
  const expected = { requiredClaims: config.claims_to_verify ?? [], now: new Date(deps.clock.now()) };
  try {
    await verifyToken(token, found.config, expected);
  } catch (error) {
    deps.logger.info({ consumer: found.consumer.name, problem: messageOf(error) }, "token refused");
    return "failed to verify jwt";
  }
  if (config.store_in_ctx) context.variables.set("jwt_auth_payload", claims);
  return found;
}
