import type { Endpoint, Target } from "@fngate/kernel";
import type { AttemptOutcome, Exchange, OutgoingBody, OutgoingRequest, ResponseSink } from "../exchange.ts";
import { type ConnectionManager, type ConnectionsOptions, createConnections } from "../http/connections.ts";

/** What of a target a test wants otherwise. */
export interface TargetOverrides {
  readonly scheme?: Target["scheme"];
  readonly host?: string;
  readonly tls?: Target["tls"];
  readonly keepalive?: Partial<Target["keepalive"]>;
  readonly timeouts?: Partial<Target["timeouts"]>;
}

/** A plain target on this machine with roomy limits. */
export function targetOf(port: number, overrides: TargetOverrides = {}): Target {
  const { scheme = "http", host = "127.0.0.1", tls, keepalive, timeouts } = overrides;
  return {
    scheme,
    host,
    port,
    ...(tls === undefined ? {} : { tls }),
    keepalive: { idleConnections: 10, idleTimeoutMs: 60_000, ...keepalive },
    timeouts: { connectMs: 10_000, sendMs: 10_000, readMs: 10_000, ...timeouts },
  };
}

/** Keeps an answer; `isSlow` makes it refuse more data after each chunk. */
export class RecordingSink implements ResponseSink {
  status = 0;
  reason = "";
  headers: readonly string[] = [];
  readonly chunks: Buffer[] = [];
  heads = 0;
  isEnded = false;
  isSlow = false;
  resume: (() => void) | undefined;

  get body(): string {
    return Buffer.concat(this.chunks).toString("latin1");
  }

  get sizeBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  head(status: number, reason: string, headers: readonly string[]): void {
    this.heads += 1;
    this.status = status;
    this.reason = reason;
    this.headers = headers;
  }

  write(chunk: Uint8Array): boolean {
    this.chunks.push(Buffer.from(chunk));
    return !this.isSlow;
  }

  onDrain(resume: () => void): void {
    this.resume = resume;
  }

  end(): void {
    this.isEnded = true;
  }
}

/** A request with defaults. */
export function requestOf(overrides: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return { method: "GET", target: "/", headers: ["Host", "example.test"], body: { kind: "none" }, ...overrides };
}

/** A body in memory. */
export function bytesOf(text: string): OutgoingBody {
  return { kind: "bytes", bytes: Buffer.from(text) };
}

/** A running exchange and where its answer goes. */
export interface Sent {
  readonly sink: RecordingSink;
  readonly exchange: Exchange;
  readonly outcome: Promise<AttemptOutcome>;
}

/** Connections that a test disposes of. */
export class TestConnections implements AsyncDisposable {
  readonly manager: ConnectionManager;

  constructor(options: ConnectionsOptions = {}) {
    this.manager = createConnections(options);
  }

  endpoint(port: number, overrides: TargetOverrides = {}): Endpoint {
    return this.manager.acquire(targetOf(port, overrides));
  }

  send(endpoint: Endpoint, overrides: Partial<OutgoingRequest> = {}, sink = new RecordingSink()): Sent {
    const exchange = this.manager.forward(endpoint, requestOf(overrides), sink);
    return { sink, exchange, outcome: exchange.outcome };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.manager.destroy();
  }
}

/** The reason of a failed or truncated outcome; anything else is shown as its kind. */
export function reasonIn(outcome: AttemptOutcome): string {
  return outcome.kind === "failed" || outcome.kind === "truncated" ? outcome.failure.reason : outcome.kind;
}
