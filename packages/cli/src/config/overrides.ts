import type { Environment } from "./environment.ts";
import { isTreeMap, type Tree, type TreeMap, valueAt } from "./tree.ts";

/** A value of the configuration that a flag or an environment variable replaces. */
export interface Override {
  /** Flag without its dashes. */
  readonly flag?: string;
  /** Environment variables, the first that is set counts. */
  readonly variables: readonly string[];
  /** Key of the configuration, dotted. */
  readonly path: string;
  /** Word for the flag's value in the help. */
  readonly placeholder?: string;
  readonly description: string;
  /** Turns the text into the value, given what is configured; a text returned as it is by default. Throws a plain Error on a wrong text. */
  readonly parse?: (text: string, configured: TreeMap) => Tree;
}

/** Every override, in the order they are applied. */
export const OVERRIDES: readonly Override[] = [
  {
    flag: "role",
    variables: ["FNGATE_ROLE"],
    path: "deployment.role",
    placeholder: "ROLE",
    description: "traditional (both planes), control_plane or data_plane",
  },
  {
    flag: "data-dir",
    variables: ["FNGATE_DATA_DIR"],
    path: "fngate.data_dir",
    placeholder: "DIR",
    description: "where the embedded store, the generated key and the logs are",
  },
  {
    flag: "proxy-listen",
    variables: ["FNGATE_PROXY_LISTEN"],
    path: "apisix.node_listen",
    placeholder: "[HOST:]PORT",
    description: "where the data plane listens",
    parse: (text) => [parseListen(text)],
  },
  {
    flag: "tls-listen",
    variables: ["FNGATE_TLS_LISTEN"],
    path: "apisix.ssl.listen",
    placeholder: "[HOST:]PORT",
    description: "where the data plane listens with TLS",
    parse: (text) => [parseListen(text)],
  },
  {
    flag: "admin-listen",
    variables: ["FNGATE_ADMIN_LISTEN"],
    path: "deployment.admin.admin_listen",
    placeholder: "[HOST:]PORT",
    description: "where the Admin API listens",
    parse: parseListen,
  },
  {
    flag: "metrics-listen",
    variables: ["FNGATE_METRICS_LISTEN"],
    path: "plugin_attr.prometheus.export_addr",
    placeholder: "[HOST:]PORT",
    description: "where the metrics are",
    parse: parseListen,
  },
  {
    flag: "status-listen",
    variables: ["FNGATE_STATUS_LISTEN"],
    path: "apisix.status",
    placeholder: "[HOST:]PORT",
    description: "where /status and /status/ready are",
    parse: parseListen,
  },
  {
    flag: "control-listen",
    variables: ["FNGATE_CONTROL_LISTEN"],
    path: "apisix.control",
    placeholder: "[HOST:]PORT",
    description: "where the Control API is",
    parse: parseListen,
  },
  {
    flag: "sample-function-port",
    variables: ["FNGATE_SAMPLE_FUNCTION_PORT"],
    path: "fngate.sample_function.port",
    placeholder: "PORT",
    description: "port of the sample function",
    parse: parsePort,
  },
  {
    flag: "log-level",
    variables: ["FNGATE_LOG_LEVEL"],
    path: "nginx_config.error_log_level",
    placeholder: "LEVEL",
    description: "debug, info, notice, warn, error, crit, alert or emerg",
  },
  {
    variables: ["FNGATE_STANDALONE_FILE"],
    path: "fngate.standalone_file",
    description: "file of the providers yaml and json",
  },
  {
    variables: ["FNGATE_ADMIN_KEY", "APISIX_ADMIN_KEY"],
    path: "deployment.admin.admin_key",
    description: "replaces the key of role admin",
    parse: replaceAdminKey,
  },
  {
    variables: ["APISIX_WORKER_PROCESSES"],
    path: "nginx_config.worker_processes",
    description: "processes that serve requests",
    parse: (text) => (/^\d+$/.test(text) ? Number(text) : text),
  },
  {
    variables: ["APISIX_DEPLOYMENT_ETCD_HOST"],
    path: "deployment.etcd.host",
    description: "JSON list of etcd end points",
    parse: parseEtcdHosts,
  },
];

/** The variable of an override that is set, with its text; an empty one counts as not set. */
export function variableOf(override: Override, environment: Environment): { name: string; text: string } | undefined {
  for (const name of override.variables) {
    const text = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (text !== undefined && text !== "") return { name, text };
  }
  return undefined;
}

function parseListen(text: string): TreeMap {
  const match = /^(?:(?<ip>\[[^\]]+\]|[^:]+):)?(?<port>\d+)$/.exec(text);
  const { ip, port } = match?.groups ?? {};
  if (port === undefined) throw new Error("expected [HOST:]PORT");
  return ip === undefined ? { port: parsePort(port) } : { ip: ip.replace(/^\[|\]$/g, ""), port: parsePort(port) };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error("expected a port between 0 and 65535");
  return port;
}

function replaceAdminKey(key: string, configured: TreeMap): Tree {
  const keys = valueAt(configured, ["deployment", "admin", "admin_key"]);
  const entries = Array.isArray(keys) ? keys : [];
  const isAdmin = (entry: Tree) => isTreeMap(entry) && entry["role"] === "admin";
  return [{ name: "admin", key, role: "admin" }, ...entries.filter((entry) => !isAdmin(entry))];
}

function parseEtcdHosts(text: string): Tree {
  let hosts: unknown;
  try {
    hosts = JSON.parse(text);
  } catch (cause) {
    throw new Error("expected a JSON list of URLs", { cause });
  }
  if (!Array.isArray(hosts)) throw new Error("expected a JSON list of URLs");
  return hosts.map(String);
}
