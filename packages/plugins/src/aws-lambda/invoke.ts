import type { Clock } from "@fngate/kernel";
import type { FunctionCall, GatewayRequest, PhaseResult, PluginDeps, PluginInstance } from "@fngate/plugin-kit";
import { forwardToFunction } from "../shared/forward-to-function.ts";
import { toByteString } from "../shared/wire-text.ts";
import type { AccessKey, AwsLambdaConfig } from "./schema.ts";
import { signCall } from "./sign-call.ts";

const API_KEY = "x-api-key";

const NONE: readonly string[] = [];

/**
 * Sets up the calls of one configuration: with its API key when the client brings none, else signed by its access key
 * when the client brings no `Authorization`.
 */
export function invokeLambda(config: AwsLambdaConfig, deps: PluginDeps): PluginInstance {
  const { apikey, iam } = config.authorization ?? {};
  const fields = apikey === undefined ? NONE : [API_KEY, toByteString(apikey)];
  const credentials = ({ headers }: GatewayRequest): readonly string[] => (headers.has(API_KEY) ? NONE : fields);
  if (iam === undefined) return forwardToFunction({ config, credentials }, deps);
  const isSigned = ({ headers }: GatewayRequest): boolean =>
    !headers.has("authorization") && (apikey === undefined || headers.has(API_KEY));
  const prepare = (call: FunctionCall, request: GatewayRequest): FunctionCall | Promise<PhaseResult> =>
    isSigned(request) ? sign(call, request, { accessKey: iam, clock: deps.clock }) : call;
  return forwardToFunction({ config, credentials, prepare }, deps);
}

interface Keeper {
  readonly accessKey: AccessKey;
  readonly clock: Clock;
}

/** The signature covers the body, which is therefore read before the call is made. */
function sign(
  call: FunctionCall,
  { body }: GatewayRequest,
  { accessKey, clock }: Keeper,
): FunctionCall | Promise<PhaseResult> {
  const signed = (bytes: Uint8Array): FunctionCall => signCall(call, bytes, { accessKey, nowMs: clock.now() });
  if (!body.isPresent) return signed(NO_BYTES);
  return body.read(call.maxBodyBytes).then((bytes) => {
    if (bytes === "too-large") return { kind: "reply", status: call.bodyTooLargeStatus };
    return signed(bytes);
  });
}

const NO_BYTES = new Uint8Array(0);
