import type { ClientRequest } from "node:http";
import { request as requestHttps } from "node:https";
import { connect, isIP } from "node:net";
import type { SecureContext } from "node:tls";
import { http, timerDelay } from "@fngate/kernel";
import type { ProbeSettings } from "./check-settings.ts";
import type { FailureKind } from "./node-health.ts";

/** Where a probe goes. */
export interface ProbeTarget {
  /** Address to connect to, IPv6 without brackets. */
  readonly ip: string;
  readonly port: number;
  /** Value of `Host`, and the name that TLS asks for. */
  readonly hostHeader: string;
}

/** What a probe saw. */
export type Observation =
  | { readonly kind: "connected" }
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "failed"; readonly failure: FailureKind };

/** Asks a node how it does, once; never rejects. An abort counts as nothing seen. */
export type Probe = (
  target: ProbeTarget,
  settings: ProbeSettings,
  signal: AbortSignal,
) => Promise<Observation | undefined>;

/** Creates the probe over real sockets; `secureContext` holds the authorities that `https` nodes are checked against. */
export function createProbe(secureContext: () => SecureContext | undefined): Probe {
  return (target, settings, signal) => {
    if (signal.aborted) return Promise.resolve(undefined);
    return settings.type === "tcp"
      ? probeTcp(target, settings, signal)
      : probeHttp({ target, settings, secureContext: secureContext() }, signal);
  };
}

interface Attempt {
  destroy(error?: Error): void;
}

/** Runs one attempt under a deadline for all of it; what `start` hands over first is what was seen. */
function underDeadline(
  timeoutMs: number,
  signal: AbortSignal,
  start: (see: (observation: Observation) => void) => Attempt,
): Promise<Observation | undefined> {
  const { promise, resolve } = Promise.withResolvers<Observation | undefined>();
  let attempt: Attempt | undefined;
  const settle = (observation: Observation | undefined): void => {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    resolve(observation);
    attempt?.destroy();
  };
  const onAbort = (): void => settle(undefined);
  const timer = setTimeout(() => settle({ kind: "failed", failure: "timeout" }), timerDelay(timeoutMs + 1));
  timer.unref();
  signal.addEventListener("abort", onAbort, { once: true });
  attempt = start(settle);
  return promise;
}

function probeTcp(target: ProbeTarget, settings: ProbeSettings, signal: AbortSignal): Promise<Observation | undefined> {
  return underDeadline(settings.timeoutMs, signal, (see) => {
    const socket = connect({ host: target.ip, port: target.port });
    socket.once("connect", () => see({ kind: "connected" }));
    socket.on("error", () => see({ kind: "failed", failure: "tcp" }));
    return socket;
  });
}

interface HttpProbe {
  readonly target: ProbeTarget;
  readonly settings: ProbeSettings;
  readonly secureContext: SecureContext | undefined;
}

function probeHttp(probe: HttpProbe, signal: AbortSignal): Promise<Observation | undefined> {
  return underDeadline(probe.settings.timeoutMs, signal, (see) => {
    let request: ClientRequest;
    try {
      request = openRequest(probe);
    } catch {
      // A method, path or field that cannot be sent never gets a good answer either.
      see({ kind: "failed", failure: "http" });
      return { destroy: () => undefined };
    }
    request.once("response", ({ statusCode = 0 }) => see({ kind: "status", status: statusCode }));
    request.on("error", (error) => see({ kind: "failed", failure: failureOf(error) }));
    request.end(probe.settings.body);
    return request;
  });
}

function openRequest({ target, settings, secureContext }: HttpProbe): ClientRequest {
  const { body, headers, isVerified, method, path, type } = settings;
  const fields = ["Connection", "close", ...headers];
  const has = (wanted: string): boolean => fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === wanted);
  if (!has("host")) fields.push("Host", target.hostHeader);
  if (body !== "" && !has("content-length")) fields.push("Content-Length", String(Buffer.byteLength(body)));
  const options = { host: target.ip, port: target.port, method, path, headers: fields, agent: false, setHost: false };
  if (type === "http") return http.request(options);
  const name = withoutPort(target.hostHeader);
  return requestHttps({
    ...options,
    // An empty name keeps Node from sending the address, which is no SNI name (RFC 6066 section 3).
    servername: isIP(name) === 0 ? name : "",
    rejectUnauthorized: isVerified,
    ...(secureContext === undefined ? {} : { secureContext }),
  });
}

function withoutPort(host: string): string {
  if (host.startsWith("[")) return host.slice(1, Math.max(host.indexOf("]"), 1));
  const colon = host.indexOf(":");
  return colon < 0 || host.includes(":", colon + 1) ? host : host.slice(0, colon);
}

/** An answer that is no HTTP is the server's fault, all else the connection's. */
function failureOf(error: Error & { code?: string }): FailureKind {
  return error.code?.startsWith("HPE_") === true ? "http" : "tcp";
}
