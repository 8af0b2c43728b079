import { messageOf } from "@fngate/kernel";
import type { PluginDeps, PluginInstance, Reply, RequestContext } from "@fngate/plugin-kit";
import { isOwnField, safeFieldValue } from "../shared/wire-text.ts";
import { type JweDecryptConsumer, secretOf } from "./consumer-schema.ts";
import { openToken, readToken } from "./open-token.ts";
import type { JweDecryptConfig } from "./schema.ts";

type Deps = PluginDeps<JweDecryptConsumer>;

/** Sets up one configuration: a token goes on as what was encrypted in it. */
export function decryptTokens(config: JweDecryptConfig, deps: Deps): PluginInstance {
  const forwardHeader = isOwnField(config.forward_header) ? config.forward_header : undefined;
  const header = config.header.toLowerCase();
  return {
    rewrite(context) {
      const value = context.request.headers.get(header);
      if (value === undefined) return config.strict ? refuse(403, "missing JWE token in request") : undefined;
      return decrypt(context, value.replace(/^[Bb]earer /, ""), deps).then((opened) => {
        if (typeof opened !== "string") return opened;
        if (forwardHeader !== undefined) context.request.headers.set(forwardHeader, opened);
        return undefined;
      });
    },
  };
}

/** What was encrypted, as it is sent on, or the refusal. */
async function decrypt(context: RequestContext, text: string, { consumers, logger }: Deps): Promise<string | Reply> {
  const token = readToken(text);
  if (token === undefined) return refuse(400, "JWE token invalid");
  if (token.keyId === undefined) return refuse(400, "missing kid in JWE token");
  const found = consumers.find(context, token.keyId);
  if (found === undefined) return refuse(400, "invalid kid in JWE token");
  try {
    const plaintext = Buffer.from(await openToken(token, secretOf(found.config))).toString("latin1");
    if (safeFieldValue(plaintext) === plaintext) return plaintext;
    logger.info({ problem: "no field can hold what was encrypted" }, "token refused");
  } catch (error) {
    logger.info({ problem: messageOf(error) }, "token refused");
  }
  return refuse(400, "failed to decrypt JWE token");
}

function refuse(status: number, message: string): Reply {
  return { kind: "reply", status, body: { message } };
}
