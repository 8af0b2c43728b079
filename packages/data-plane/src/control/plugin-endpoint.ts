import type { Clock } from "@fngate/kernel";
import type { PluginApi } from "@fngate/plugin-kit";
import type { Admission } from "../http/admission.ts";
import { addCharset, DEFAULT_CHARSET } from "../http/answer-headers.ts";
import { ExchangeContext } from "../http/exchange-context.ts";
import { renderReply } from "../http/reply.ts";
import { RequestVariables } from "../http/request-variables.ts";
import { SubExchange } from "../plugin-ports/sub-exchange.ts";
import { errorAnswer, type SideAnswer, type SideRequest } from "../side/side-listener.ts";
import type { SnapshotCell } from "../snapshot-cell.ts";

/** What a plugin's endpoint works with beside the request. */
export interface EndpointDeps {
  readonly admission: Admission;
  readonly cell: SnapshotCell;
  readonly clock: Clock;
}

/** Asks a plugin's endpoint, which sees the request as any other of its phases would. */
export async function answerByPlugin(api: PluginApi, request: SideRequest, deps: EndpointDeps): Promise<SideAnswer> {
  const { method, path, query, rawHeaders: headers, body } = request;
  const exchange = new SubExchange(
    { method, target: query === "" ? path : `${path}?${query}`, headers, body, timeoutMs: 0 },
    { scheme: "http", peerAddress: "127.0.0.1", localPort: 0, depth: 0 },
  );
  const admitted = deps.admission.admit(exchange);
  if (typeof admitted === "number") return errorAnswer(admitted);
  const atMs = deps.clock.now();
  const context = new ExchangeContext(admitted.request, undefined, {
    atMs,
    monotonicMs: deps.clock.monotonicMs(),
    snapshot: deps.cell.current,
    variables: new RequestVariables(admitted.request, atMs),
  });
  const reply = renderReply(await api.handle(context));
  addCharset(reply.headers, reply.status, DEFAULT_CHARSET);
  return {
    status: reply.status,
    contentType: reply.headers.get("content-type") ?? "text/plain; charset=utf-8",
    body: typeof reply.body === "string" ? reply.body : Buffer.from(reply.body).toString(),
  };
}
