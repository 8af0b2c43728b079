import { type ChildProcess, execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Contestant, freePort, startServer, stopServer } from "./processes.ts";

const here = import.meta.dirname;
const nodeArgs = [process.execPath, "--conditions=@fngate/source", "--disable-warning=ExperimentalWarning"];
const adminKey = "edd1c9f034335f136f87ad84b625c8f1";

/** One of the servers of `servers.ts` in a process of its own. */
export async function startReference(kind: string, name: string, upstreamPort: number): Promise<Contestant> {
  const port = await freePort();
  const command = [process.execPath, join(here, "servers.ts"), kind, String(port), String(upstreamPort)];
  const child = await startServer([...command], port);
  return { name, port, path: "/hello", process: child };
}

/** What plugins call, in a process of its own, by port. */
export interface PluginServices {
  readonly http: number;
  readonly tcp: number;
  readonly udp: number;
  readonly ldap: number;
  readonly process: ChildProcess;
}

/** Starts {@link PluginServices}. */
export async function startPluginServices(): Promise<PluginServices> {
  const ports = { http: await freePort(), tcp: await freePort(), udp: await freePort(), ldap: await freePort() };
  const { http, ldap, tcp, udp } = ports;
  const command = [process.execPath, join(here, "plugin-servers.ts"), ...[http, tcp, udp, ldap].map(String)];
  return { ...ports, process: await startServer(command, http) };
}

/** nginx with one worker and a keep-alive upstream; nothing where nginx is not installed. */
export async function startNginx(directory: string, upstreamPort: number): Promise<Contestant | undefined> {
  const nginx = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/bin/nginx"].find((path) => existsSync(path));
  if (nginx === undefined) return undefined;
  const port = await freePort();
  const file = join(directory, "nginx.conf");
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path ${directory}; proxy_temp_path ${directory};
  fastcgi_temp_path ${directory}; uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
  upstream app { server 127.0.0.1:${upstreamPort}; keepalive 128; }
  server { listen 127.0.0.1:${port}; keepalive_requests 10000000;
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}
`,
  );
  const child = await startServer([nginx, "-e", "stderr", "-c", file], port);
  return { name: "nginx proxy_pass", port, path: "/hello", process: child };
}

/** A gateway as a user runs it, with an embedded store. */
export interface BenchGateway {
  readonly port: number;
  readonly process: ChildProcess;
  /** Writes an object; `path` is below `/apisix/admin`, `/routes/1` say. */
  put(path: string, object: object): Promise<void>;
}

/** Starts a {@link BenchGateway}; `nodeFlags` are for its Node.js. */
export async function startGateway(directory: string, nodeFlags: readonly string[] = []): Promise<BenchGateway> {
  const port = await freePort();
  const adminPort = await freePort();
  const file = join(directory, "config.yaml");
  writeFileSync(
    file,
    `deployment:
  role: traditional
  role_traditional: { config_provider: embedded }
  admin:
    admin_listen: { ip: 127.0.0.1, port: ${adminPort} }
    admin_key: [{ name: admin, key: ${adminKey}, role: admin }]
apisix:
  node_listen: [{ ip: 127.0.0.1, port: ${port} }]
  enable_control: false
  ssl: { enable: false }
nginx_config: { error_log_level: warn, worker_processes: 1, http: { access_log: ${directory}/access.log } }
plugin_attr: { prometheus: { export_addr: { ip: 127.0.0.1, port: ${await freePort()} } } }
fngate: { data_dir: ${directory}/data }
`,
  );
  const main = join(here, "../../packages/cli/bin/fngate.js");
  const [node = "", ...flags] = nodeArgs;
  const child = await startServer([node, ...nodeFlags, ...flags, main, "start", "--config", file], port);
  return { port, process: child, put: (path, object) => putObject(adminPort, path, object) };
}

/** fngate with one openfunction route and one plain route among `routes` others. */
export async function startFngate(directory: string, upstreamPort: number, routes: number): Promise<Contestant[]> {
  const gateway = await startGateway(directory);
  const { port, process: child } = gateway;
  try {
    await putRoutes(gateway, { upstreamPort, routes });
    for (const path of ["/fn", "/hello"]) await untilServed({ port, path });
  } catch (error) {
    await stopServer(child);
    throw error;
  }
  return [
    { name: "fngate openfunction", port, path: "/fn", process: child },
    { name: "fngate plain upstream", port, path: "/hello", process: child },
  ];
}

interface RouteOptions {
  readonly upstreamPort: number;
  readonly routes: number;
}

async function putRoutes(gateway: BenchGateway, { upstreamPort, routes }: RouteOptions): Promise<void> {
  await gateway.put("/routes/fn", {
    uri: "/fn",
    plugins: { openfunction: { function_uri: `http://127.0.0.1:${upstreamPort}/hello`, keepalive_pool: 128 } },
  });
  const nodes = { [`127.0.0.1:${upstreamPort}`]: 1 };
  await gateway.put("/routes/plain", { uri: "/hello", upstream: { type: "roundrobin", nodes } });
  for (let index = 0; index < routes; index += 1) {
    const plugins = { openfunction: { function_uri: "http://127.0.0.1:1/" } };
    await gateway.put(`/routes/other-${index}`, { uri: `/other/${index}/*`, plugins });
  }
}

async function putObject(adminPort: number, path: string, object: object): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/apisix/admin${path}`, {
    method: "PUT",
    headers: { "x-api-key": adminKey },
    body: JSON.stringify(object),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

/** Resolves when the path is answered with 200. */
export async function untilServed(request: {
  readonly port: number;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}): Promise<void> {
  const { body, headers = {}, path, port } = request;
  const init = body === undefined ? { headers } : { headers, method: "POST", body };
  const deadline = Date.now() + 10_000;
  let status = 0;
  while (status !== 200) {
    if (Date.now() > deadline) throw new Error(`${path} is answered ${status}`);
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    await response.arrayBuffer();
    status = response.status;
  }
}

/** The machine, for the report. */
export function machine(): string {
  const cpu = execFileSync("sh", ["-c", "grep -m1 'model name' /proc/cpuinfo || true"]).toString().split(":")[1];
  return `${cpu?.trim() ?? "unknown processor"}, Node ${process.version}`;
}
