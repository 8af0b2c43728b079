import { describe, expect, it } from "vitest";
import { DEFAULTS } from "./defaults.ts";
import { nginxTimeMs } from "./nginx-units.ts";
import { configSchema } from "./schema.ts";
import { createSettings, type Settings } from "./settings.ts";
import { mergeTrees, type TreeMap } from "./tree.ts";

function settingsOf(over: TreeMap): Settings {
  return createSettings(configSchema.parse(mergeTrees(DEFAULTS, over)), "/srv");
}

/** Where `apisix` listens in the clear. */
function plainListeners(apisix: TreeMap): unknown {
  const listen = settingsOf({ apisix }).proxy?.listen ?? [];
  return listen.filter(({ isTls }) => !isTls).map(({ host, port }) => ({ host, port }));
}

describe("createSettings", () => {
  it("listens on loopback only unless told otherwise", () => {
    const { admin, proxy } = settingsOf({ apisix: { status: {} } });

    expect(admin?.listen).toEqual({ host: "127.0.0.1", port: 9180 });
    const listener = { host: "127.0.0.1", isHttp2Enabled: true, isProxied: false };
    expect(proxy?.listen).toEqual([
      { ...listener, port: 9080, isTls: false },
      { ...listener, port: 9443, isTls: true },
    ]);
    expect(proxy?.metrics).toMatchObject({ host: "127.0.0.1", port: 9091 });
    expect(proxy?.status).toEqual({ host: "127.0.0.1", port: 7085 });
  });

  it.each([
    { value: 8080, expected: [{ host: "127.0.0.1", port: 8080 }] },
    {
      value: [8080, { ip: "0.0.0.0", port: 80 }],
      expected: [
        { host: "127.0.0.1", port: 8080 },
        { host: "0.0.0.0", port: 80 },
      ],
    },
    { value: [{ ip: "10.0.0.1" }], expected: [{ host: "10.0.0.1", port: 9080 }] },
  ])("reads node_listen $value", ({ value, expected }) => {
    expect(plainListeners({ node_listen: value })).toEqual(expected);
  });

  it("keeps the last known configuration beside etcd, where it is asked for, and not beside an embedded store", () => {
    const provider = (config_provider: string) => ({ deployment: { role_traditional: { config_provider } } });
    expect(settingsOf(provider("etcd")).proxy?.lastKnownFile).toBe("/srv/.fngate/last-known.json");
    expect(settingsOf(provider("embedded")).proxy?.lastKnownFile).toBeUndefined();
    const off = { ...provider("etcd"), fngate: { last_known: { enable: false } } };
    expect(settingsOf(off).proxy?.lastKnownFile).toBeUndefined();
  });

  it.each([
    { http: {}, expected: "utf-8" },
    { http: { charset: "koi8-r" }, expected: "koi8-r" },
    { http: { charset: "off" }, expected: false },
  ])("adds to text types what nginx_config.http says: $http", ({ http, expected }) => {
    expect(settingsOf({ nginx_config: { http } }).proxy?.charset).toBe(expected);
  });

  it("takes no charset that could end the field it is added to", () => {
    const parsed = configSchema.safeParse({ nginx_config: { http: { charset: "utf-8\r\nX-Mine: 1" } } });
    expect(parsed.success).toBe(false);
  });

  it("adds the IPv6 loopback to entries without address when IPv6 is on", () => {
    expect(plainListeners({ enable_ipv6: true, node_listen: [1, { ip: "0.0.0.0", port: 2 }] })).toEqual([
      { host: "127.0.0.1", port: 1 },
      { host: "::1", port: 1 },
      { host: "0.0.0.0", port: 2 },
    ]);
  });

  it("reads the TLS listeners, their settings and the ports of the PROXY protocol", () => {
    const ssl = { listen: [{ ip: "0.0.0.0", port: 443 }], ssl_protocols: "TLSv1.3", fallback_sni: "a.test" };
    const proxy_protocol = { listen_http_port: 9181, listen_https_port: 9182 };
    const { proxy } = settingsOf({ apisix: { node_listen: 1, ssl, proxy_protocol, enable_http2: false } });
    expect(proxy?.tls).toEqual({ protocols: ["TLSv1.3"], sessionTickets: false, fallbackSni: "a.test" });
    expect(proxy?.listen.map(({ host, port, isTls, isProxied }) => [host, port, isTls, isProxied])).toEqual([
      ["127.0.0.1", 1, false, false],
      ["0.0.0.0", 443, true, false],
      ["127.0.0.1", 9181, false, true],
      ["127.0.0.1", 9182, true, true],
    ]);
    expect(proxy?.listen.some(({ isHttp2Enabled }) => isHttp2Enabled)).toBe(false);
  });

  it("has no TLS listener when TLS is switched off", () => {
    const apisix = { ssl: { enable: false }, proxy_protocol: { listen_https_port: 9182 } };
    expect(settingsOf({ apisix }).proxy?.listen.map(({ port }) => port)).toEqual([9080]);
  });

  it("decrypts private keys of the store whether or not it encrypts plugin fields", () => {
    const { decryptionKeys, keyring } = settingsOf({ apisix: { data_encryption: { enable_encrypt_fields: false } } });
    expect(keyring).toEqual([]);
    expect(decryptionKeys).toEqual(["qeddd145sfvddff3", "edd1c9f0985e76a2"]);
  });

  it("gives each role its planes", () => {
    const planes = (over: TreeMap) => {
      const { admin, proxy } = settingsOf(over);
      return [admin !== undefined, proxy !== undefined];
    };
    expect(planes({})).toEqual([true, true]);
    expect(planes({ apisix: { enable_admin: false } })).toEqual([false, true]);
    expect(planes({ deployment: { role: "control_plane" }, apisix: { enable_admin: false } })).toEqual([true, false]);
    expect(planes({ deployment: { role: "data_plane" } })).toEqual([false, true]);
  });

  it("keeps the configuration in etcd or in a file, as the role's provider says", () => {
    expect(settingsOf({}).etcd).toMatchObject({ hosts: ["http://127.0.0.1:2379"], timeoutMs: 30_000 });
    expect(settingsOf({ deployment: { role_traditional: { config_provider: "embedded" } } }).etcd).toBeUndefined();
  });

  it("asks for no key when the list of keys is removed or not required, as APISIX does", () => {
    expect(settingsOf({}).admin?.isKeyRequired).toBe(true);
    expect(settingsOf({ deployment: { admin: { admin_key: null } } }).admin?.isKeyRequired).toBe(false);
    expect(settingsOf({ deployment: { admin: { admin_key_required: false } } }).admin?.isKeyRequired).toBe(false);
  });

  it("believes the configured peers about addresses, on both planes; APISIX's word for unix sockets is understood", () => {
    const { admin, proxy } = settingsOf({ nginx_config: { http: { real_ip_from: ["10.0.0.0/8", "unix:"] } } });
    expect(admin?.realIpFrom).toEqual(["10.0.0.0/8"]);
    expect(proxy?.realIp.from).toEqual(["10.0.0.0/8"]);
  });

  it("lets every origin in for good only when the file itself says so", () => {
    const cors = (over: TreeMap) => {
      const admin = settingsOf({ deployment: { admin: over } }).admin;
      return [admin?.isCorsEnabled, admin?.isCrossOriginAllowed];
    };
    expect(cors({})).toEqual([true, false]);
    expect(cors({ enable_admin_cors: true })).toEqual([true, true]);
    expect(cors({ enable_admin_cors: false })).toEqual([false, false]);
  });

  it("serves a dashboard from the folder that the file names, unless switched off", () => {
    const fngate = { admin_ui: "ui" };
    expect(settingsOf({ fngate }).admin?.dashboardDirectory).toBe("/srv/ui");
    expect(settingsOf({}).admin?.dashboardDirectory).toBeUndefined();
    const off = settingsOf({ fngate, deployment: { admin: { enable_admin_ui: false } } });
    expect(off.admin?.dashboardDirectory).toBeUndefined();
  });

  it("trusts the system's certificates, or also those of a file", () => {
    const trusted = (path: string) => settingsOf({ apisix: { ssl: { ssl_trusted_certificate: path } } });
    expect(settingsOf({}).trustedCertificate).toBeUndefined();
    expect(trusted("system").trustedCertificate).toBeUndefined();
    expect(trusted("ca.pem").trustedCertificate).toBe("/srv/ca.pem");
  });

  it("gives the Admin API certificates when it speaks TLS, and refuses TLS without", () => {
    const files = { admin_ssl_cert: "a.pem", admin_ssl_cert_key: "/k.pem", admin_ssl_ca_cert: "" };
    const tls = (over: TreeMap) => settingsOf({ deployment: { admin: over } }).admin?.tls;
    expect(tls({})).toBeUndefined();
    expect(tls({ admin_api_mtls: files })).toBeUndefined();
    expect(tls({ https_admin: true, admin_api_mtls: files })).toEqual({
      cert: "/srv/a.pem",
      key: "/k.pem",
      ca: undefined,
    });
    expect(tls({ https_admin: true, admin_api_mtls: { ...files, admin_ssl_ca_cert: "ca" } })?.ca).toBe("/srv/ca");
    expect(() => tls({ https_admin: true })).toThrow("missing ssl cert for https admin");
    const behindProxy = { admin: { https_admin: true, admin_api_mtls: files } };
    expect(() => settingsOf({ deployment: behindProxy, fngate: { proxy_admin: { enable: true } } })).toThrow(
      /proxy_admin/,
    );
  });

  it("limits clients as nginx would", () => {
    const limits = (http: TreeMap) => settingsOf({ nginx_config: { http } }).proxy?.clientLimits;
    expect(limits({})).toEqual({
      keepAliveTimeoutMs: 60_000,
      headerTimeoutMs: 60_000,
      bodyTimeoutMs: 60_000,
      maxBodyBytes: 0,
    });
    expect(
      limits({
        keepalive_timeout: 0,
        client_header_timeout: "1m",
        client_body_timeout: "500ms",
        client_max_body_size: "8K",
      }),
    ).toEqual({ keepAliveTimeoutMs: 0, headerTimeoutMs: 60_000, bodyTimeoutMs: 500, maxBodyBytes: 8_192 });
    expect(limits({ client_max_body_size: "1g" })?.maxBodyBytes).toBe(1_073_741_824);
    expect(limits({ client_max_body_size: "10" })?.maxBodyBytes).toBe(10);
  });

  it("hands each plugin its section", () => {
    const zones = [{ name: "m", memory_size: "1m" }];
    const found = settingsOf({ plugin_attr: { redirect: { https_port: 8443 } }, apisix: { proxy_cache: { zones } } });
    expect(found.proxy?.pluginAttributes).toMatchObject({ redirect: { https_port: 8443 }, "proxy-cache": { zones } });
  });

  it("serves no metrics when the server is off or prometheus is not among the plugins", () => {
    expect(settingsOf({ plugin_attr: { prometheus: { enable_export_server: false } } }).proxy?.metrics).toBeUndefined();
    expect(settingsOf({ plugins: ["openfunction"] }).proxy?.metrics).toBeUndefined();
    expect(settingsOf({ plugins: ["openfunction", "prometheus"] }).proxy?.metrics).toBeDefined();
  });

  it("counts requests as plugin_attr.prometheus says", () => {
    const prometheus = {
      metric_prefix: "my_",
      default_buckets: [100, 10],
      metrics: { http_status: { expire: 600, extra_labels: [{ addr: "$upstream_addr" }] }, bandwidth: { expire: 0 } },
    };
    expect(settingsOf({ plugin_attr: { prometheus } }).proxy?.requestMetrics).toEqual({
      prefix: "my_",
      latencyBucketsMs: [10, 100],
      series: {
        http_status: { expiryMs: 600_000, extraLabels: [{ name: "addr", variable: "upstream_addr" }] },
        bandwidth: { extraLabels: [] },
      },
    });
    expect(settingsOf({}).proxy?.requestMetrics).toEqual({ prefix: "apisix_", series: {} });
  });

  it("finds the Admin API behind the data plane by URL, by socket, or in its own process", () => {
    const target = (upstream: string) =>
      settingsOf({ fngate: { proxy_admin: { enable: true, upstream } } }).proxy?.proxyAdmin?.target;
    expect(target("http://control:9180")).toEqual({ host: "control", port: 9180 });
    expect(target("http://[::1]:1")).toEqual({ host: "::1", port: 1 });
    expect(target("unix:/run/admin.sock")).toEqual({ socketPath: "/run/admin.sock" });
    const own = settingsOf({ fngate: { proxy_admin: { enable: true } } }).proxy?.proxyAdmin;
    expect(own).toEqual({ target: undefined, allowedAddresses: ["127.0.0.0/8", "::1/128"] });
    expect(settingsOf({}).proxy?.proxyAdmin).toBeUndefined();
  });

  it("puts the Admin API on a unix socket instead of an address", () => {
    expect(settingsOf({ fngate: { admin_socket: "/run/a.sock" } }).admin?.listen).toEqual({
      socketPath: "/run/a.sock",
    });
  });

  it("keeps the access log below the data directory, elsewhere, or not at all", () => {
    const path = (over: TreeMap) => settingsOf(over).proxy?.accessLog?.path;
    expect(path({})).toBe("/srv/.fngate/logs/access.log");
    expect(path({ nginx_config: { http: { access_log: "/dev/stdout" } } })).toBe("/dev/stdout");
    expect(path({ fngate: { data_dir: "/d", access_log: { path: "a.log" } } })).toBe("/d/a.log");
    expect(path({ nginx_config: { http: { enable_access_log: false } } })).toBeUndefined();
    expect(path({ fngate: { access_log: { path: "off" } } })).toBeUndefined();
  });

  it("encrypts with the keyring, one key or several, or not at all", () => {
    const key = "0123456789abcdef";
    expect(settingsOf({ apisix: { data_encryption: { keyring: key } } }).keyring).toEqual([key]);
    expect(settingsOf({}).keyring).toHaveLength(2);
    expect(settingsOf({ apisix: { data_encryption: { enable_encrypt_fields: false } } }).keyring).toEqual([]);
  });

  it("names the version in Server unless told not to", () => {
    expect(settingsOf({}).serverHeader).toMatch(/^APISIX\/\d+\.\d+\.\d+$/);
    expect(settingsOf({ apisix: { enable_server_tokens: false } }).serverHeader).toBe("APISIX");
  });

  it.each([
    [5, 5_000],
    ["5", 5_000],
    ["240s", 240_000],
    ["500ms", 500],
    ["1h30m", 5_400_000],
    ["1d", 86_400_000],
    ["100d", 2_147_483_647],
    [1_000_000_000, 2_147_483_647],
  ])("reads the nginx time %j as %d milliseconds", (time, expected) => {
    expect(nginxTimeMs(time)).toBe(expected);
  });
});

describe("a configuration that is one document", () => {
  const standaloneOf = (over: TreeMap, file?: string) =>
    createSettings(configSchema.parse(mergeTrees(DEFAULTS, over)), "/srv", file);
  const dataPlane = (config_provider: string) => ({
    deployment: { role: "data_plane", role_data_plane: { config_provider } },
  });
  const traditional = { deployment: { role: "traditional", role_traditional: { config_provider: "yaml" } } };

  it("is a file beside config.yaml for a data plane", () => {
    const { standalone, etcd, keyring, admin } = standaloneOf(dataPlane("yaml"), "conf/config.yaml");
    expect(standalone).toEqual({ source: "file", path: "/srv/conf/apisix.yaml", format: "yaml" });
    expect([etcd, admin, keyring]).toEqual([undefined, undefined, []]);
    expect(standaloneOf(dataPlane("json"), "/etc/c.yaml").standalone).toMatchObject({ path: "/etc/apisix.json" });
  });

  it("is another file when that is said", () => {
    const fngate = { standalone_file: "routes.yaml" };
    expect(standaloneOf({ ...dataPlane("yaml"), fngate }, "/etc/c.yaml").standalone).toMatchObject({
      path: "/etc/routes.yaml",
    });
  });

  it("comes through the Admin API in role traditional, and from the file without one", () => {
    expect(standaloneOf(traditional).standalone).toEqual({ source: "admin" });
    expect(standaloneOf({ ...traditional, apisix: { enable_admin: false } }).standalone).toMatchObject({
      source: "file",
    });
  });
});

describe("plugin settings", () => {
  it("hands plugin_attr to the data plane as it is", () => {
    const plugin_attr = { redirect: { https_port: 8443 }, mine: { a: [{ b: "c" }] } };
    expect(settingsOf({ plugin_attr }).proxy?.pluginAttributes).toMatchObject({
      ...plugin_attr,
      prometheus: { metric_prefix: "apisix_" },
    });
  });

  it("reads the longest wait for a plugin in seconds", () => {
    expect(settingsOf({ fngate: { plugin_timeout: 1.5 } }).proxy?.pluginDeadlineMs).toBe(1_500);
    expect(settingsOf({}).proxy?.pluginDeadlineMs).toBe(300_000);
  });

  it("has the targets of functions rewritten unless it is told to do as APISIX does", () => {
    expect(settingsOf({}).proxy?.areFunctionTargetsRewritten).toBe(true);
    expect(settingsOf({ fngate: { rewrite_function_target: false } }).proxy?.areFunctionTargetsRewritten).toBe(false);
  });
});
