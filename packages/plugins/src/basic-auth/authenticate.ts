import type { PluginDeps, PluginInstance, RequestContext } from "@fngate/plugin-kit";
import { type Authentication, conclude } from "../shared/auth.ts";
import { type NameAndPassword, parseCredentials } from "../shared/basic-credentials.ts";
import { isSameSecret } from "../shared/same-secret.ts";
import type { BasicAuthConsumer } from "./consumer-schema.ts";
import type { BasicAuthConfig } from "./schema.ts";

type Consumers = PluginDeps<BasicAuthConsumer>["consumers"];

/** Sets up one configuration: whoever gives a consumer's name and password is that consumer. */
export function authenticateByPassword(
  config: BasicAuthConfig,
  { consumers }: PluginDeps<BasicAuthConsumer>,
): PluginInstance {
  const conclusion = {
    consumers,
    challenge: `Basic realm="${config.realm}"`,
    anonymousConsumer: config.anonymous_consumer,
  };
  return {
    rewrite(context) {
      const refusal = conclude(context, authenticate(context, consumers), conclusion);
      // A refused request keeps them for the next alternative (`multi-auth`).
      if (refusal === undefined && config.hide_credentials) context.request.headers.delete("authorization");
      return refusal;
    },
  };
}

function authenticate(context: RequestContext, consumers: Consumers): Authentication<BasicAuthConsumer> {
  const value = context.request.headers.get("authorization");
  if (value === undefined) return "Missing authorization in request";
  const given = parseCredentials(value);
  if (given === undefined) return "Invalid authorization in request";
  return (
    verify(context, given, consumers) ?? verify(context, withoutSpace(given), consumers) ?? "Invalid user authorization"
  );
}

/** APISIX drops white space, such as the line feed that a shell's `echo` puts behind a password. */
function withoutSpace({ password, username }: NameAndPassword): NameAndPassword {
  return { username: username.replace(/\s+/g, ""), password: password.replace(/\s+/g, "") };
}

function verify(context: RequestContext, { password, username }: NameAndPassword, consumers: Consumers) {
  const found = consumers.find(context, username);
  // An unknown name costs the same comparison, so that the time taken does not tell which names there are.
  const isSame = isSameSecret(password, found?.config.password ?? "");
  return isSame && password !== "" ? found : undefined;
}
