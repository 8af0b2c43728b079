import type { Settings } from "./config/settings.ts";
import { type BoundListener, formatHostPort, type ListenerName } from "./listening.ts";
import { readVersion } from "./version.ts";

/** What the banner tells. */
export interface BannerFacts {
  readonly settings: Settings;
  readonly bound: readonly BoundListener[];
  /** Sentences about what is missing. */
  readonly notes: readonly string[];
  readonly generatedKeyFile: string | undefined;
  readonly isQuickStart: boolean;
}

/** The key of APISIX's documentation; no secret, so it may be shown. */
const PUBLISHED_KEY = "edd1c9f034335f136f87ad84b625c8f1";

/** What to look at behind each listener. */
const PATHS: Readonly<Record<ListenerName, (settings: Settings) => string>> = {
  proxy: () => "",
  https: () => "",
  "proxied-http": () => "",
  "proxied-https": () => "",
  admin: () => "/apisix/admin",
  metrics: ({ proxy }) => proxy?.metrics?.uri ?? "",
  status: () => "/status/ready",
  control: () => "/v1/routes",
  "sample-function": () => "/default/function-sample/NAME",
};

const TITLES: Readonly<Record<ListenerName, string>> = {
  proxy: "gateway",
  https: "gateway, TLS",
  "proxied-http": "PROXY protocol",
  "proxied-https": "PROXY protocol, TLS",
  admin: "Admin API",
  metrics: "metrics",
  status: "status",
  control: "Control API",
  "sample-function": "sample function",
};

/** The text that greets whoever started the gateway: what listens where, the admin key rule, what to type next. */
export function renderBanner(facts: BannerFacts): string {
  const { settings, bound, notes } = facts;
  const rows = bound.map((listener) => [TITLES[listener.listener], urlOf(listener, settings)] as const);
  rows.push(["data", `${settings.dataDir} (kept across restarts)`]);
  const width = Math.max(...rows.map(([title]) => title.length));
  const table = rows.map(([title, value]) => `  ${title.padEnd(width)}  ${value}`);
  const paragraphs = [
    `fngate, ${settings.role.replace("_", " ")}${facts.isQuickStart ? ", quick start (fngate config print shows its settings)" : ""}`,
    table.join("\n"),
    ...(settings.admin === undefined ? [] : [keyRule(facts)]),
    ...notes,
    ...nextSteps(facts),
    "Stop with Ctrl-C.",
  ];
  return `fngate ${readVersion()}${paragraphs.join("\n\n").slice("fngate".length)}\n\n`;
}

function urlOf(bound: BoundListener, settings: Settings): string {
  if ("socketPath" in bound) return `unix:${bound.socketPath}`;
  const isTls = bound.listener === "admin" ? settings.admin?.tls !== undefined : bound.listener.endsWith("https");
  const scheme = isTls ? "https" : "http";
  return `${scheme}://${formatHostPort(bound.host, bound.port)}${PATHS[bound.listener](settings)}`;
}

function keyRule({ settings, generatedKeyFile }: BannerFacts): string {
  if (settings.admin?.isKeyRequired === false) return "Admin key: none is asked for, which only works on loopback.";
  if (generatedKeyFile !== undefined) return `Admin key: generated, in ${generatedKeyFile}; send it as X-API-KEY.`;
  return hasPublishedKey(settings)
    ? `Admin key: X-API-KEY: ${PUBLISHED_KEY} (published, so for loopback only; set FNGATE_ADMIN_KEY for one of your own).`
    : "Admin key: send the configured one as X-API-KEY.";
}

function hasPublishedKey({ admin }: Settings): boolean {
  return admin?.keys.some(({ key }) => key === PUBLISHED_KEY) ?? false;
}

function keyForShell({ settings, generatedKeyFile }: BannerFacts): string {
  if (generatedKeyFile !== undefined) return `$(cat ${generatedKeyFile})`;
  return hasPublishedKey(settings) ? PUBLISHED_KEY : "$FNGATE_ADMIN_KEY";
}

/** Commands to paste that lead from nothing to an answering function; only where all they need is running. */
function nextSteps(facts: BannerFacts): string[] {
  const address = (name: ListenerName) => facts.bound.find(({ listener }) => listener === name);
  const [admin, proxy, sample] = [address("admin"), address("proxy"), address("sample-function")];
  // A certificate needs more of a command than can be known here.
  if (facts.settings.admin?.tls !== undefined) return [];
  if (!(admin && "port" in admin && proxy && "port" in proxy && sample && "port" in sample)) return [];
  const route = {
    uri: "/hello",
    plugins: {
      openfunction: {
        function_uri: `http://localhost:${sample.port}/default/function-sample/test`,
        authorization: { service_token: "test:test" },
      },
    },
  };
  return [
    "Next, let a function answer:",
    [
      `curl http://${formatHostPort(admin.host, admin.port)}/apisix/admin/routes/1 \\`,
      `  -H "X-API-KEY: ${keyForShell(facts)}" -X PUT -d '`,
      `${JSON.stringify(route, undefined, 2)}'`,
      `curl -i http://${formatHostPort(proxy.host, proxy.port)}/hello`,
    ].join("\n"),
  ];
}
