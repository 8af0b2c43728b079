import { dirname, isAbsolute, join, resolve } from "node:path";
import type { AccessLogEscape, RequestMetricsOptions } from "@fngate/data-plane";
import { GatewayError } from "@fngate/kernel";
import { type Address, addressOf } from "./address.ts";
import { createMetricsSettings, createRequestMetricsSettings, type MetricsSettings } from "./metrics-settings.ts";
import { nginxSizeBytes, nginxTimeMs } from "./nginx-units.ts";
import { pluginAttributesOf } from "./plugin-sections.ts";
import type { ConfigFile } from "./schema.ts";
import { type TlsSettings, type TrafficListener, tlsSettings, trafficListeners } from "./traffic-listeners.ts";
import { createUpstreamSettings, type UpstreamSettings } from "./upstream-settings.ts";

/** Where the Admin API is: a TCP address or a unix socket. */
export type AdminAddress = Address | { readonly socketPath: string };

/** One key of the Admin API; an empty one is generated when the process starts. */
export interface ConfiguredKey {
  readonly name: string;
  readonly key: string;
  readonly role: string;
}

/** What a control plane needs to know. */
export interface AdminSettings {
  readonly listen: AdminAddress;
  /** Absolute paths; absent: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string | undefined } | undefined;
  readonly keys: readonly ConfiguredKey[];
  readonly isKeyRequired: boolean;
  readonly allowedAddresses: readonly string[] | undefined;
  readonly realIpFrom: readonly string[];
  readonly isCorsEnabled: boolean;
  /** Whether the file itself asks for CORS, so that it holds with a publicly known key too. */
  readonly isCrossOriginAllowed: boolean;
  readonly isStreamEnabled: boolean;
  readonly apiVersion: "v2" | "v3";
  /** Absolute path of a dashboard's files; absent: none is served. */
  readonly dashboardDirectory: string | undefined;
}

/** What a data plane needs to know. */
export interface ProxySettings {
  readonly listen: readonly TrafficListener[];
  readonly tls: TlsSettings;
  readonly routerKind: "radixtree_host_uri" | "radixtree_uri" | "radixtree_uri_with_parameter";
  readonly trustedAddresses: readonly string[] | undefined;
  readonly realIp: { readonly header: string; readonly from: readonly string[]; readonly recursive: boolean };
  readonly clientLimits: {
    readonly keepAliveTimeoutMs: number;
    readonly headerTimeoutMs: number;
    readonly bodyTimeoutMs: number;
    readonly maxBodyBytes: number;
  };
  /** What text types get that name no charset; false: nothing. */
  readonly charset: string | false;
  readonly deleteUriTailSlash: boolean;
  readonly matchUriEncodedSlash: boolean;
  readonly normalizeUriLikeServlet: boolean;
  /** Up to which size bodies are read for variables, bytes; 0 post argument bytes: any. */
  readonly bodyVariables: { readonly postArgumentBytes: number; readonly graphqlBytes: number };
  readonly showUpstreamStatus: boolean;
  readonly upstreams: UpstreamSettings;
  /** Sections of `plugin_attr` by plugin, and `apisix.proxy_cache` for `proxy-cache`. */
  readonly pluginAttributes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly metrics: MetricsSettings | undefined;
  readonly requestMetrics: RequestMetricsOptions;
  readonly status: Address | undefined;
  readonly control: Address | undefined;
  /** Without `target` the Admin API of this process is meant. */
  readonly proxyAdmin:
    | { readonly target: AdminAddress | undefined; readonly allowedAddresses: readonly string[] }
    | undefined;
  readonly accessLog:
    | {
        readonly path: string;
        readonly format: "text" | "json";
        readonly template: string | undefined;
        readonly escape: AccessLogEscape;
      }
    | undefined;
  /** How long secrets of managers hold. */
  readonly secretCache: { readonly ttlMs: number; readonly failureTtlMs: number; readonly maxSecrets: number };
  readonly lastKnownFile: string | undefined;
  /** False in a worker that leaves writing that file to another one; default true. */
  readonly writesLastKnownFile?: boolean;
  /** False in a worker: the listeners beside the traffic are the primary's; default true. */
  readonly listenBeside?: boolean;
  /** Longest wait for one phase of one plugin. */
  readonly pluginDeadlineMs: number;
  readonly areFunctionTargetsRewritten: boolean;
}

/** How to reach etcd; paths are absolute. */
export interface EtcdSettings {
  readonly hosts: readonly string[];
  readonly timeoutMs: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly tls: {
    readonly cert: string | undefined;
    readonly key: string | undefined;
    readonly ca: string | undefined;
    readonly verify: boolean;
    readonly serverName: string | undefined;
  };
}

/** Where the configuration is when it is one document: a file, or what the Admin API is given as a whole. */
export type StandaloneSettings =
  | { readonly source: "admin" }
  | { readonly source: "file"; readonly path: string; readonly format: "yaml" | "json" };

/** The static configuration in the terms of the parts it configures. */
export interface Settings {
  readonly role: "traditional" | "control_plane" | "data_plane";
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly drainMs: number;
  /** Value of `Server`. */
  readonly serverHeader: string;
  /** What the gateway is called; absent: an id that is made once and kept in `dataDir`. */
  readonly instanceId: string | number | undefined;
  /** Version of APISIX that it behaves like. */
  readonly apisixVersion: string;
  /** Key prefix in the store. */
  readonly prefix: string;
  /** Absent: the embedded store in `dataDir`, unless the configuration is one document. */
  readonly etcd: EtcdSettings | undefined;
  readonly standalone: StandaloneSettings | undefined;
  /** File of certificates that calls out are checked against; absent: those of Node and the system. */
  readonly trustedCertificate: string | undefined;
  /** Encrypts secrets in the store; empty: they are stored as they are. */
  readonly keyring: readonly string[];
  /** Decrypts what is stored; private keys are encrypted whatever `enable_encrypt_fields` says, as in APISIX. */
  readonly decryptionKeys: readonly string[];
  /** Plugins of the user's own, and the directory that their paths are relative to. */
  readonly userPlugins: { readonly names: readonly string[]; readonly directory: string } | undefined;
  /** Absent: every plugin there is. */
  readonly plugins: readonly string[] | undefined;
  readonly admin: AdminSettings | undefined;
  readonly proxy: ProxySettings | undefined;
  /** Processes that serve requests; with 1 everything is in one process. `auto`: one per core. */
  readonly workers: number | "auto";
  /** Set where another process writes the embedded store. */
  readonly isStoreReadOnly: boolean;
  readonly sampleFunction: { readonly port: number } | undefined;
}

/** Severities of nginx's error log. */
export type LogLevel = "debug" | "info" | "notice" | "warn" | "error" | "crit" | "alert" | "emerg";

/** Version of APISIX whose behaviour we follow; clients such as adc choose what they send by it. */
const APISIX_VERSION = "3.18.0";

/** `fngate.plugin_timeout` where nothing fills the defaults in. */
const DEFAULT_PLUGIN_SECONDS = 300;

/**
 * Turns a configuration file, defaults filled in, into {@link Settings}; pure but for the two paths, of which
 * `configFile` is that of the file itself. Raises `CONFIG_INVALID` for keys that do not go together.
 */
export function createSettings(file: ConfigFile, workingDirectory: string, configFile?: string): Settings {
  const role = file.deployment?.role ?? "traditional";
  const directory = dirname(resolve(workingDirectory, configFile ?? "config.yaml"));
  const standalone = createStandaloneSettings(file, role, directory);
  const dataDir = resolve(workingDirectory, file.fngate?.data_dir ?? ".fngate");
  return {
    role,
    dataDir,
    logLevel: file.nginx_config?.error_log_level ?? "notice",
    drainMs: nginxTimeMs(file.nginx_config?.worker_shutdown_timeout ?? "240s"),
    serverHeader: (file.apisix?.enable_server_tokens ?? true) ? `APISIX/${APISIX_VERSION}` : "APISIX",
    instanceId: file.apisix?.id,
    apisixVersion: APISIX_VERSION,
    prefix: file.deployment?.etcd?.prefix ?? "/apisix",
    etcd: providerOf(file, role) === "etcd" ? createEtcdSettings(file, workingDirectory) : undefined,
    trustedCertificate: trustedCertificate(file, workingDirectory),
    standalone,
    keyring: keyringOf(file, standalone),
    decryptionKeys: decryptionKeysOf(file),
    userPlugins: userPluginsOf(file, directory),
    plugins: file.plugins,
    admin: hasAdmin(file, role) ? createAdminSettings(file, workingDirectory) : undefined,
    proxy: role === "control_plane" ? undefined : createProxySettings(file, dataDir),
    // A document that only the Admin API has is in the memory of one process.
    workers: standalone?.source === "admin" ? 1 : (file.nginx_config?.worker_processes ?? "auto"),
    isStoreReadOnly: false,
    sampleFunction: file.fngate?.sample_function?.enable
      ? { port: file.fngate.sample_function.port ?? 3233 }
      : undefined,
  };
}

function userPluginsOf(file: ConfigFile, directory: string): Settings["userPlugins"] {
  const names = file.fngate?.plugin_paths ?? [];
  return names.length === 0 ? undefined : { names, directory };
}

/** As in APISIX, nothing in a document is encrypted. */
function keyringOf(file: ConfigFile, standalone: StandaloneSettings | undefined): readonly string[] {
  const encryption = file.apisix?.data_encryption;
  if (standalone !== undefined || encryption?.enable_encrypt_fields === false) return [];
  return [encryption?.keyring ?? []].flat();
}

function createStandaloneSettings(
  file: ConfigFile,
  role: Settings["role"],
  directory: string,
): StandaloneSettings | undefined {
  const format = providerOf(file, role);
  if (format !== "yaml" && format !== "json") return undefined;
  if (hasAdmin(file, role)) return { source: "admin" };
  return { source: "file", path: resolve(directory, file.fngate?.standalone_file ?? `apisix.${format}`), format };
}

function providerOf(file: ConfigFile, role: Settings["role"]): "etcd" | "embedded" | "yaml" | "json" {
  return file.deployment?.[`role_${role}`]?.config_provider ?? "etcd";
}

/** A control plane always has the Admin API, a data plane never, whatever the file says; as in APISIX. */
function hasAdmin(file: ConfigFile, role: Settings["role"]): boolean {
  if (role === "traditional") return file.apisix?.enable_admin ?? true;
  return role === "control_plane";
}

function trustedCertificate(file: ConfigFile, workingDirectory: string): string | undefined {
  const path = file.apisix?.ssl?.ssl_trusted_certificate ?? "system";
  return path === "system" ? undefined : resolve(workingDirectory, path);
}

function decryptionKeysOf(file: ConfigFile): readonly string[] {
  return [file.apisix?.data_encryption?.keyring ?? []].flat();
}

function createEtcdSettings(file: ConfigFile, workingDirectory: string): EtcdSettings {
  const etcd = file.deployment?.etcd;
  const path = (name: string | undefined) => (name === undefined ? undefined : resolve(workingDirectory, name));
  return {
    hosts: etcd?.host ?? [],
    timeoutMs: (etcd?.timeout ?? 30) * 1_000,
    user: etcd?.user,
    password: etcd?.password,
    tls: {
      cert: path(etcd?.tls?.cert),
      key: path(etcd?.tls?.key),
      ca: path(etcd?.tls?.ca),
      verify: etcd?.tls?.verify ?? true,
      serverName: etcd?.tls?.sni,
    },
  };
}

function createAdminSettings(file: ConfigFile, workingDirectory: string): AdminSettings {
  const admin = file.deployment?.admin;
  const socketPath = file.fngate?.admin_socket;
  return {
    listen: socketPath === undefined ? addressOf(admin?.admin_listen, 9180) : { socketPath },
    tls: createAdminTls(file, workingDirectory),
    keys: admin?.admin_key ?? [],
    // APISIX takes a removed list of keys (`admin_key: ~`) as no authentication.
    isKeyRequired: (admin?.admin_key_required ?? true) && admin?.admin_key !== undefined,
    allowedAddresses: admin?.allow_admin,
    realIpFrom: realIpFrom(file),
    isCorsEnabled: admin?.enable_admin_cors ?? true,
    isCrossOriginAllowed: admin?.enable_admin_cors === true,
    isStreamEnabled: (file.apisix?.proxy_mode ?? "http") !== "http",
    apiVersion: admin?.admin_api_version ?? "v3",
    dashboardDirectory: dashboardDirectory(file, workingDirectory),
  };
}

function dashboardDirectory({ deployment, fngate }: ConfigFile, workingDirectory: string): string | undefined {
  const isWanted = deployment?.admin?.enable_admin_ui ?? true;
  return isWanted && fngate?.admin_ui !== undefined ? resolve(workingDirectory, fngate.admin_ui) : undefined;
}

function createAdminTls(file: ConfigFile, workingDirectory: string): AdminSettings["tls"] {
  const { https_admin, admin_api_mtls: files } = file.deployment?.admin ?? {};
  if (https_admin !== true) return undefined;
  const { admin_ssl_cert: cert, admin_ssl_cert_key: key, admin_ssl_ca_cert: ca } = files ?? {};
  if (!(cert && key)) {
    throw new GatewayError(
      "CONFIG_INVALID",
      "missing ssl cert for https admin: deployment.admin.admin_api_mtls needs admin_ssl_cert and admin_ssl_cert_key",
    );
  }
  if (file.fngate?.proxy_admin?.enable === true && file.fngate.proxy_admin.upstream === undefined) {
    throw new GatewayError(
      "CONFIG_INVALID",
      "fngate.proxy_admin.enable and deployment.admin.https_admin exclude each other",
    );
  }
  const path = (name: string) => resolve(workingDirectory, name);
  return { cert: path(cert), key: path(key), ca: ca ? path(ca) : undefined };
}

function createProxySettings(file: ConfigFile, dataDir: string): ProxySettings {
  const { apisix, fngate } = file;
  const http = file.nginx_config?.http;
  return {
    listen: trafficListeners(file),
    tls: tlsSettings(file),
    routerKind: apisix?.router?.http ?? "radixtree_host_uri",
    trustedAddresses: apisix?.trusted_addresses,
    realIp: {
      header: http?.real_ip_header ?? "X-Real-IP",
      from: realIpFrom(file),
      recursive: http?.real_ip_recursive === true || http?.real_ip_recursive === "on",
    },
    clientLimits: createClientLimits(file),
    charset: charsetOf(file),
    deleteUriTailSlash: apisix?.delete_uri_tail_slash ?? false,
    matchUriEncodedSlash: apisix?.match_uri_encoded_slash ?? false,
    normalizeUriLikeServlet: apisix?.normalize_uri_like_servlet ?? false,
    bodyVariables: {
      postArgumentBytes: (apisix?.max_post_args_readable_size ?? 64) * 1024 * 1024,
      graphqlBytes: file.graphql?.max_size ?? 1024 * 1024,
    },
    showUpstreamStatus: apisix?.show_upstream_status_in_response_header ?? false,
    upstreams: createUpstreamSettings(file),
    metrics: createMetricsSettings(file),
    requestMetrics: createRequestMetricsSettings(file),
    status: apisix?.status && addressOf(apisix.status, 7085),
    control: apisix?.enable_control === false ? undefined : addressOf(apisix?.control, 9090),
    proxyAdmin: fngate?.proxy_admin?.enable
      ? { target: parseTarget(fngate.proxy_admin.upstream), allowedAddresses: fngate.proxy_admin.allow ?? [] }
      : undefined,
    accessLog: createAccessLogSettings(file, dataDir),
    pluginAttributes: pluginAttributesOf(file),
    secretCache: secretCacheOf(file),
    pluginDeadlineMs: secondsInMs(fngate?.plugin_timeout),
    areFunctionTargetsRewritten: fngate?.rewrite_function_target ?? true,
    lastKnownFile: isLastKnownKept(file) ? join(dataDir, "last-known.json") : undefined,
  };
}

/** An embedded store is on the same disk: a copy of it would be there for nothing. */
function isLastKnownKept(file: ConfigFile): boolean {
  return (
    (file.fngate?.last_known?.enable ?? true) && providerOf(file, file.deployment?.role ?? "traditional") === "etcd"
  );
}

function createClientLimits(file: ConfigFile): ProxySettings["clientLimits"] {
  const http = file.nginx_config?.http;
  return {
    keepAliveTimeoutMs: nginxTimeMs(http?.keepalive_timeout ?? "60s"),
    headerTimeoutMs: nginxTimeMs(http?.client_header_timeout ?? "60s"),
    bodyTimeoutMs: nginxTimeMs(http?.client_body_timeout ?? "60s"),
    maxBodyBytes: nginxSizeBytes(http?.client_max_body_size ?? 0),
  };
}

function charsetOf({ nginx_config }: ConfigFile): string | false {
  const charset = nginx_config?.http?.charset ?? "utf-8";
  return charset === "off" ? false : charset;
}

/** Without APISIX's `unix:`: the planes believe peers of unix sockets where they have such. */
function realIpFrom(file: ConfigFile): readonly string[] {
  return (file.nginx_config?.http?.real_ip_from ?? []).filter((entry) => entry !== "unix:");
}

/** Milliseconds of a number of seconds. */
function secondsInMs(seconds = DEFAULT_PLUGIN_SECONDS): number {
  return seconds * 1000;
}

function secretCacheOf({ apisix }: ConfigFile): ProxySettings["secretCache"] {
  const { count = 512, neg_ttl = 60, ttl = 300 } = apisix?.lru?.secret ?? {};
  return { ttlMs: ttl * 1000, failureTtlMs: neg_ttl * 1000, maxSecrets: count };
}

function createAccessLogSettings(file: ConfigFile, dataDir: string): ProxySettings["accessLog"] {
  const http = file.nginx_config?.http;
  const path = file.fngate?.access_log?.path ?? http?.access_log ?? "logs/access.log";
  if (http?.enable_access_log === false || path === "off") return undefined;
  return {
    path: isAbsolute(path) ? path : join(dataDir, path),
    format: file.fngate?.access_log?.format ?? "text",
    template: http?.access_log_format,
    escape: http?.access_log_format_escape ?? "default",
  };
}

function parseTarget(upstream: string | undefined): AdminAddress | undefined {
  if (upstream === undefined) return undefined;
  if (upstream.startsWith("unix:")) return { socketPath: upstream.slice("unix:".length) };
  const url = new URL(upstream);
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port === "" ? 80 : Number(url.port) };
}
