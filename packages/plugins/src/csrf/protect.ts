import type { PluginDeps, PluginInstance, Reply } from "@fngate/plugin-kit";
import type { CsrfConfig } from "./schema.ts";
import { createToken, findTokenProblem } from "./token.ts";

/** Methods that change nothing need no token. */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

const refuse = (text: string): Reply => ({ kind: "reply", status: 401, body: { error_msg: text } });

const NO_HEADER = refuse("no csrf token in headers");
const NO_COOKIE = refuse("no csrf cookie");
const MISMATCH = refuse("csrf token mismatch");
const BAD_TOKEN = refuse("Failed to verify the csrf token signature");

/** Asks for the token in header and cookie alike, and hands a new one out with every answer. */
export function protectWithTokens(config: CsrfConfig, { clock, logger }: PluginDeps): PluginInstance {
  const { expires, key, name } = config;
  const header = name.toLowerCase();
  const nowSeconds = (): number => Math.floor(clock.now() / 1000);
  return {
    access({ request, variables }) {
      if (SAFE_METHODS.has(request.method)) return undefined;
      const token = request.headers.get(header);
      if (token === undefined || token === "") return NO_HEADER;
      const cookie = variables.get(`cookie_${name}`);
      if (typeof cookie !== "string") return NO_COOKIE;
      if (cookie !== token) return MISMATCH;
      const problem = findTokenProblem(token, key, { maxAgeSeconds: expires, nowSeconds: nowSeconds() });
      if (problem === undefined) return undefined;
      logger.info({ problem }, "token refused");
      return BAD_TOKEN;
    },
    headerFilter({ response }) {
      const now = nowSeconds();
      const until = new Date((now + expires) * 1000).toUTCString();
      response.headers.append("Set-Cookie", `${name}=${createToken(key, now)};path=/;SameSite=Lax;Expires=${until}`);
      return undefined;
    },
  };
}
