import { type Gateway, type GatewayOptions, startGateway } from "./gateway.ts";
import { exchange } from "./raw-client.ts";
import { valuesOf } from "./raw-response.ts";

/** A node as `/v1/healthcheck` shows it. */
export interface ShownNode {
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
  readonly status: string;
  readonly counter: Readonly<Record<string, number>>;
}

/** Counters of a node that nothing was seen of. */
export const NOTHING_SEEN = { http_failure: 0, success: 0, tcp_failure: 0, timeout_failure: 0 };

/** Tells which node was asked. */
const ASKED = { "response-rewrite": { headers: { set: { "X-Asked": "$balancer_ip:$balancer_port" } } } };

/** A gateway whose upstreams have health checks: `/id` leads to the upstream of that id. */
export class CheckedGateway implements AsyncDisposable {
  readonly gateway: Gateway;

  constructor(gateway: Gateway) {
    this.gateway = gateway;
  }

  /** Puts an upstream behind `/id`. */
  async put(id: string, upstream: object): Promise<void> {
    await this.gateway.admin.put(`/upstreams/${id}`, upstream);
    await this.gateway.route({ [id]: { uri: `/${id}`, upstream_id: id, plugins: ASKED } });
  }

  /** Sends a request and tells which node was asked. */
  async ask(id: string, fields: readonly string[] = []): Promise<string> {
    return valuesOf(await exchange(this.gateway.port, { target: `/${id}`, fields }), "x-asked").join();
  }

  /** The nodes of an upstream in the Control API. */
  async nodes(id: string): Promise<readonly ShownNode[]> {
    const { port } = this.gateway.dataPlane.address("control");
    const answer = await fetch(`http://127.0.0.1:${port}/v1/healthcheck/upstreams/${id}`);
    const { nodes } = (await answer.json()) as { readonly nodes: readonly ShownNode[] };
    return nodes;
  }

  /** The node of an upstream that has this port. */
  async node(id: string, port: number): Promise<ShownNode | undefined> {
    return (await this.nodes(id)).find((node) => node.port === port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
  }
}

/** Starts a {@link CheckedGateway} with both planes in one process. */
export async function startCheckedGateway(options?: GatewayOptions): Promise<CheckedGateway> {
  return new CheckedGateway(await startGateway("embedded", options));
}

/** `127.0.0.1:port` of a server. */
export function addressOf({ port }: { readonly port: number }): string {
  return `127.0.0.1:${port}`;
}

/** Servers as nodes of weight 1. */
export function weighted(servers: readonly { readonly port: number }[]): Readonly<Record<string, number>> {
  return Object.fromEntries(servers.map((server) => [addressOf(server), 1]));
}

/** An answer of that status, without a body. */
export function bare(status: number): string {
  return `HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`;
}
