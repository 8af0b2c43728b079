/** The listeners of a process, as its log names them. */
export type ListenerName =
  | "proxy"
  | "https"
  | "proxied-http"
  | "proxied-https"
  | "admin"
  | "metrics"
  | "status"
  | "control"
  | "sample-function";

/** Where a listener came up: with its real port, or the path of its unix socket. */
export type BoundListener =
  | { readonly listener: ListenerName; readonly host: string; readonly port: number }
  | { readonly listener: ListenerName; readonly socketPath: string };

/** Which key, flag and variable move a listener elsewhere. */
interface ListenerControls {
  readonly key: string;
  /** Absent: the key alone does. */
  readonly flag?: string;
  readonly variable?: string;
}

const CONTROLS: Readonly<Record<ListenerName, ListenerControls>> = {
  proxy: { key: "apisix.node_listen", flag: "--proxy-listen", variable: "FNGATE_PROXY_LISTEN" },
  https: { key: "apisix.ssl.listen", flag: "--tls-listen", variable: "FNGATE_TLS_LISTEN" },
  "proxied-http": { key: "apisix.proxy_protocol.listen_http_port" },
  "proxied-https": { key: "apisix.proxy_protocol.listen_https_port" },
  admin: { key: "deployment.admin.admin_listen", flag: "--admin-listen", variable: "FNGATE_ADMIN_LISTEN" },
  metrics: {
    key: "plugin_attr.prometheus.export_addr",
    flag: "--metrics-listen",
    variable: "FNGATE_METRICS_LISTEN",
  },
  status: { key: "apisix.status", flag: "--status-listen", variable: "FNGATE_STATUS_LISTEN" },
  control: { key: "apisix.control", flag: "--control-listen", variable: "FNGATE_CONTROL_LISTEN" },
  "sample-function": {
    key: "fngate.sample_function.port",
    flag: "--sample-function-port",
    variable: "FNGATE_SAMPLE_FUNCTION_PORT",
  },
};

/** A host and port as they stand in a URL. */
export function formatHostPort(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What somebody whose port is taken needs to know: the port, the key that says so, and how to say something else. */
export function explainTakenPort(listener: ListenerName, host: string, port: number): string {
  const { key, flag, variable } = CONTROLS[listener];
  const ways = flag === undefined ? "" : ` with ${flag} or ${variable}`;
  return `port ${port} on ${host} (${key}) is already in use; stop what holds it, or choose another${ways}`;
}

/** The system error below a failed listen, when there is one. */
export interface ListenError {
  readonly code: string;
  readonly address: string;
  readonly port: number;
}

/** Finds the system error of a failed listen among an error's causes. */
export function findListenError(error: unknown): ListenError | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const found = asListenError(current);
    if (found !== undefined) return found;
  }
  return undefined;
}

function asListenError(error: Error): ListenError | undefined {
  if (!("code" in error && "syscall" in error && "port" in error)) return undefined;
  const { code, syscall, port } = error;
  if (typeof code !== "string" || (syscall !== "listen" && syscall !== "bind") || typeof port !== "number")
    return undefined;
  return { code, port, address: "address" in error ? String(error.address) : "" };
}
