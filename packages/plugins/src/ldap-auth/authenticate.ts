import { messageOf } from "@fngate/kernel";
import type { PluginDeps, PluginInstance, RequestContext } from "@fngate/plugin-kit";
import { type Authentication, conclude } from "../shared/auth.ts";
import { parseCredentials } from "../shared/basic-credentials.ts";
import type { LdapAuthConsumer } from "./consumer-schema.ts";
import { Directory } from "./directory.ts";
import type { LdapAuthConfig } from "./schema.ts";

type Deps = PluginDeps<LdapAuthConsumer>;
type Found = Authentication<LdapAuthConsumer>;

/** Sets up one configuration: whoever the LDAP server lets in is the consumer with that entry. */
export function authenticateByDirectory(config: LdapAuthConfig, deps: Deps): PluginInstance {
  const directory = new Directory(config, deps);
  const challenge = `Basic realm="${config.realm}"`;
  const conclusion = { consumers: deps.consumers, challenge, anonymousConsumer: undefined };
  return {
    async rewrite(context) {
      const refusal = conclude(context, await authenticate(context, directory, deps), conclusion);
      if (refusal === undefined && config.hide_credentials) context.request.headers.delete("authorization");
      return refusal;
    },
    dispose: () => directory.dispose(),
  };
}

/** In one pass: a client may send any number of line feeds. */
function withoutLineEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === "\n" || text[end - 1] === "\r")) end -= 1;
  return text.slice(0, end);
}

async function authenticate(context: RequestContext, directory: Directory, deps: Deps): Promise<Found> {
  const value = context.request.headers.get("authorization");
  if (value === undefined) return "Missing authorization in request";
  const given = parseCredentials(value);
  // A shell's `echo` puts a line feed behind a password.
  const password = withoutLineEnd(given?.password ?? "");
  // A server lets everybody in who gives no password, as nobody in particular (RFC 4513, 5.1.2).
  if (given === undefined || password === "" || isControlled(given.username)) return "Invalid authorization in request";
  const { consumers, logger } = deps;
  let name: string;
  try {
    name = await directory.authenticate({ username: given.username, password });
  } catch (error) {
    logger.warn({ problem: messageOf(error) }, "the LDAP server did not let somebody in");
    return "Invalid user authorization";
  }
  if (consumers.isEmpty(context)) return "Missing related consumer";
  return consumers.find(context, name) ?? "Invalid user authorization";
}

/** Whether a name has characters that no entry has and that logs and servers may take for something else. */
function isControlled(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return /[\x00-\x1f\x7f]/.test(text);
}
