import { hash } from "node:crypto";
import type { PluginDeps, PluginInstance, Reply, RequestContext } from "@fngate/plugin-kit";
import { type Authentication, conclude } from "../shared/auth.ts";
import type { HmacAuthConsumer } from "./consumer-schema.ts";
import { parseHttpDate } from "./http-date.ts";
import { type PresentedSignature, readSignature } from "./read-signature.ts";
import type { HmacAuthConfig } from "./schema.ts";
import { isSignedWith } from "./verify-signature.ts";

type Deps = PluginDeps<HmacAuthConsumer>;
type Found = Authentication<HmacAuthConsumer>;

const REFUSED = "client request can't be validated";

/** Sets up one configuration: whoever signs a request with a consumer's key is that consumer. */
export function authenticateBySignature(config: HmacAuthConfig, deps: Deps): PluginInstance {
  const conclusion = {
    consumers: deps.consumers,
    challenge: `hmac realm="${config.realm}"`,
    anonymousConsumer: config.anonymous_consumer,
  };
  const end = (context: RequestContext, found: Found): Reply | undefined => {
    const refusal = conclude(context, found, conclusion);
    if (refusal === undefined && config.hide_credentials) context.request.headers.delete("authorization");
    return refusal;
  };
  return {
    rewrite(context) {
      const presented = readSignature(context);
      if (typeof presented === "string") return end(context, `${REFUSED}: ${presented}`);
      const found = authenticate(context, presented, { config, deps });
      if (typeof found === "string") {
        deps.logger.info({ problem: found }, "signature refused");
        return end(context, REFUSED);
      }
      if (!config.validate_request_body) return end(context, found);
      return checkBody(context, config.max_req_body_size).then((problem) => {
        if (problem === "too-large") return tooLarge(context, config);
        return end(context, problem === undefined ? found : REFUSED);
      });
    },
  };
}

interface Plugin {
  readonly config: HmacAuthConfig;
  readonly deps: Deps;
}

/** Whose signature it is; the text, which the client is not told, is why it is nobody's. */
function authenticate(context: RequestContext, presented: PresentedSignature, { config, deps }: Plugin): Found {
  const { algorithm: named, headers, keyId, signature } = presented;
  if (keyId === undefined || signature === undefined) return "keyId or signature missing";
  if (named === undefined) return "algorithm missing";
  const found = deps.consumers.find(context, keyId);
  if (found === undefined) return "Invalid key_id";
  const algorithm = config.allowed_algorithms.find((allowed) => allowed === named);
  if (algorithm === undefined) return "Invalid algorithm";
  const stale = dateProblem(context, config.clock_skew, deps.clock.now());
  if (stale !== undefined) return stale;
  const unsigned = config.signed_headers.find((name) => !headers.includes(name));
  if (unsigned !== undefined) return `expected header "${unsigned}" missing in signing`;
  const isSigned = isSignedWith(context, presented, { algorithm, secret: found.config.secret_key });
  return isSigned ? found : "Invalid signature";
}

function dateProblem({ request }: RequestContext, skewSeconds: number, nowMs: number): string | undefined {
  const date = request.headers.get("date");
  if (date === undefined) return "Date header missing. failed to validate clock skew";
  const time = parseHttpDate(date);
  if (time === undefined) return "Invalid GMT format time";
  // Dates have whole seconds.
  return Math.abs(Math.floor(nowMs / 1000) - time / 1000) > skewSeconds ? "Clock skew exceeded" : undefined;
}

async function checkBody({ request }: RequestContext, maxBytes: number): Promise<"invalid" | "too-large" | undefined> {
  const digest = request.headers.get("digest");
  if (digest === undefined) return "invalid";
  const body = await request.body.read(maxBytes);
  if (body === "too-large") return "too-large";
  return digest === `SHA-256=${hash("sha256", body, "base64")}` ? undefined : "invalid";
}

function tooLarge({ request }: RequestContext, { max_req_body_size: maxBytes }: HmacAuthConfig): Reply {
  const size = request.body.declaredBytes;
  const subject = size === undefined ? "request size" : `request size ${size}`;
  const message = `${subject} is greater than the maximum size ${maxBytes} allowed`;
  return { kind: "reply", status: 413, body: { message } };
}
