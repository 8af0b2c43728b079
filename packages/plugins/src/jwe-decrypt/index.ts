import { definePlugin } from "@fngate/plugin-kit";
import { jweDecryptConsumerSchema } from "./consumer-schema.ts";
import { decryptTokens } from "./decrypt.ts";
import { jweDecryptSchema } from "./schema.ts";

/** Decrypts tokens on their way to whoever is called (APISIX: jwe-decrypt; RFC 7516). */
export const jweDecrypt = definePlugin({
  name: "jwe-decrypt",
  version: 0.1,
  priority: 2509,
  type: "auth",
  schema: jweDecryptSchema,
  consumerSchema: jweDecryptConsumerSchema,
  consumerSecretFields: ["key", "secret"],
  identityField: "key",
  setup: decryptTokens,
});
