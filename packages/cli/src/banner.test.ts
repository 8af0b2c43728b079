import { describe, expect, it } from "vitest";
import { renderBanner } from "./banner.ts";
import { DEFAULTS } from "./config/defaults.ts";
import { configSchema } from "./config/schema.ts";
import { createSettings } from "./config/settings.ts";
import { mergeTrees, type TreeMap } from "./config/tree.ts";
import { type BoundListener, explainTakenPort, findListenError } from "./listening.ts";

const PUBLISHED_KEY = "edd1c9f034335f136f87ad84b625c8f1";

const ALL: readonly BoundListener[] = [
  { listener: "admin", host: "127.0.0.1", port: 1 },
  { listener: "proxy", host: "::1", port: 2 },
  { listener: "metrics", host: "127.0.0.1", port: 3 },
  { listener: "sample-function", host: "127.0.0.1", port: 4 },
];

function banner(over: TreeMap, facts: { bound?: readonly BoundListener[]; generatedKeyFile?: string } = {}): string {
  const settings = createSettings(configSchema.parse(mergeTrees(DEFAULTS, over)), "/srv");
  const { bound = ALL, generatedKeyFile } = facts;
  return renderBanner({ settings, bound, notes: ["A note."], generatedKeyFile, isQuickStart: false });
}

function withKey(key: string): TreeMap {
  return { deployment: { admin: { admin_key: [{ name: "admin", key, role: "admin" }] } } };
}

describe("the banner", () => {
  it("says what listens where, where the data is, and what to type next", () => {
    const text = banner(withKey(PUBLISHED_KEY));

    expect(text).toContain("http://127.0.0.1:1/apisix/admin");
    expect(text).toContain("http://[::1]:2\n");
    expect(text).toContain("http://127.0.0.1:3/apisix/prometheus/metrics");
    expect(text).toContain("/srv/.fngate (kept across restarts)");
    expect(text).toContain("A note.");
    expect(text).toContain("curl http://127.0.0.1:1/apisix/admin/routes/1");
    expect(text).toContain("http://localhost:4/default/function-sample/test");
    expect(text).toContain("curl -i http://[::1]:2/hello");
    expect(text).toContain(`X-API-KEY: ${PUBLISHED_KEY}`);
  });

  it("never shows a key that is a secret", () => {
    expect(banner(withKey("hunter2"))).not.toContain("hunter2");
  });

  it("names the file of a generated key and uses it in the command", () => {
    const text = banner(withKey(""), { generatedKeyFile: "/srv/.fngate/admin.key" });
    expect(text).toContain("generated, in /srv/.fngate/admin.key");
    expect(text).toContain("X-API-KEY: $(cat /srv/.fngate/admin.key)");
  });

  it("proposes no command whose parts are not all running", () => {
    expect(banner(withKey("k"), { bound: ALL.slice(0, 2) })).not.toContain("curl");
  });

  it("shows a unix socket as such", () => {
    expect(banner({}, { bound: [{ listener: "admin", socketPath: "/run/a.sock" }] })).toContain("unix:/run/a.sock");
  });
});

describe("a failed listen", () => {
  const error = Object.assign(new Error("taken"), { code: "EADDRINUSE", syscall: "listen", address: "::1", port: 9 });

  it("is found among the causes of what was thrown", () => {
    expect(findListenError(new Error("outer", { cause: new Error("middle", { cause: error }) }))).toEqual({
      code: "EADDRINUSE",
      address: "::1",
      port: 9,
    });
    expect(findListenError(new Error("other"))).toBeUndefined();
    expect(findListenError("text")).toBeUndefined();
  });

  it.each([
    ["proxy", "apisix.node_listen", "FNGATE_PROXY_LISTEN"],
    ["admin", "deployment.admin.admin_listen", "FNGATE_ADMIN_LISTEN"],
    ["metrics", "plugin_attr.prometheus.export_addr", "FNGATE_METRICS_LISTEN"],
    ["status", "apisix.status", "FNGATE_STATUS_LISTEN"],
    ["sample-function", "fngate.sample_function.port", "FNGATE_SAMPLE_FUNCTION_PORT"],
  ] as const)("of the %s listener names port, key and variable", (listener, key, variable) => {
    const text = explainTakenPort(listener, "127.0.0.1", 9);
    expect(text).toContain("port 9 on 127.0.0.1");
    expect(text).toContain(key);
    expect(text).toContain(variable);
  });
});
