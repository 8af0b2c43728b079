import { GatewayError, timerDelay } from "@fngate/kernel";
import type { GatewayDispatch, RequestContext, SubAnswer, SubRequest } from "@fngate/plugin-kit";
import type { ClientExchange } from "../http/client-exchange.ts";
import { ExchangeContext } from "../http/exchange-context.ts";
import { SubExchange } from "./sub-exchange.ts";

/** Sub-requests inside of sub-requests; beyond, some plugin calls itself. */
const MOST_DEPTH = 3;

/** Sends plugins' requests through `handle`, which takes clients' requests too. */
export class SubDispatch implements GatewayDispatch {
  readonly #handle: (client: ClientExchange) => void;

  constructor(handle: (client: ClientExchange) => void) {
    this.#handle = handle;
  }

  async dispatch(context: RequestContext, request: SubRequest): Promise<SubAnswer> {
    const { localPort, remoteAddress: peerAddress, scheme } = context.request;
    const depth = (context instanceof ExchangeContext ? context.request.depth : 0) + 1;
    if (depth > MOST_DEPTH) throw new GatewayError("HTTP_CALL_FAILED", `sub-requests nest deeper than ${MOST_DEPTH}`);
    const late = AbortSignal.timeout(timerDelay(request.timeoutMs));
    const signal = AbortSignal.any([late, context.signal, ...(request.signal === undefined ? [] : [request.signal])]);
    const headers = withHost(request.headers, context);
    const exchange = new SubExchange({ ...request, headers, signal }, { scheme, peerAddress, localPort, depth });
    this.#handle(exchange);
    return await exchange.answer;
  }
}

/** A sub-request that names no host asks for that of the request it belongs to. */
function withHost(headers: readonly string[], { request }: RequestContext): readonly string[] {
  const hasHost = headers.some((field, index) => index % 2 === 0 && field.toLowerCase() === "host");
  const host = request.headers.get("host");
  return hasHost || host === undefined ? headers : ["Host", host, ...headers];
}
