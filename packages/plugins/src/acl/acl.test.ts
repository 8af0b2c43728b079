import type { PluginDefinition } from "@fngate/plugin-kit";
import { describePlugin, runGateway } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { keyAuth } from "../key-auth/index.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { acl } from "./index.ts";
import { aclSchema } from "./schema.ts";

const minimal = { allow_labels: { team: ["a"] } };

describePlugin(acl, { folder: import.meta.dirname, config: minimal });

describeSchema(aclSchema, {
  defaults: [minimal, { ...minimal, rejected_code: 403, external_user_label_field: "groups" }],
  accepts: [{ deny_labels: { a: ["b", "c"] }, rejected_msg: "no", external_user_label_field_parser: "json" }],
  refuses: [
    [{}, "object matches none of the required"],
    [{ allow_labels: {} }, "allow_labels"],
    [{ allow_labels: { a: [] } }, "allow_labels.a"],
    [{ deny_labels: { a: "b" } }, "deny_labels.a"],
    [{ ...minimal, external_user_label_field_parser: "segmented_text" }, "allOf 1 failed: then clause did not match"],
  ],
});

describe("acl", () => {
  /** The answer to a consumer with labels, or to nobody. */
  async function answerTo(config: object, labels: Readonly<Record<string, string>> | undefined) {
    await using gateway = await runGateway({
      plugins: [acl, keyAuth].map((plugin) => plugin as PluginDefinition),
      consumers: { jack: { plugins: { "key-auth": { key: "k" } }, labels: labels ?? {} } },
      routes: { 1: { uri: "/*", plugins: { acl: config, ...(labels === undefined ? {} : { "key-auth": {} }) } } },
    });
    return await gateway.get("/", { apikey: "k" });
  }

  it.each([
    [{ allow_labels: { team: ["a", "b"] } }, { team: "b" }, 200],
    [{ allow_labels: { team: ["a"] } }, { team: "b" }, 403],
    [{ allow_labels: { team: ["a"] } }, { other: "a" }, 403],
    [{ allow_labels: { team: ["a"] } }, { team: "x,a" }, 200],
    [{ allow_labels: { team: ["a"] } }, { team: '["x","a"]' }, 200],
    [{ allow_labels: { team: ["a"] } }, { team: "[broken" }, 403],
    [{ deny_labels: { team: ["a"] }, rejected_code: 451 }, { team: "a" }, 451],
    [{ deny_labels: { team: ["a"] } }, { team: "b" }, 200],
    [{ deny_labels: { team: ["a"] }, allow_labels: { team: ["a"] } }, { team: "a" }, 403],
  ])("under %j answers a consumer with %j with %i", async (config, labels, status) => {
    expect((await answerTo(config, { ...labels })).status).toBe(status);
  });

  it("says why", async () => {
    expect((await answerTo({ deny_labels: { a: ["b"] } }, { a: "b" })).body).toBe(
      '{"message":"The consumer is forbidden."}\n',
    );
    const own = { deny_labels: { a: ["b"] }, rejected_msg: "out" };
    expect((await answerTo(own, { a: "b" })).body).toBe('{"message":"out"}\n');
    expect(await answerTo(minimal, undefined)).toMatchObject({
      status: 401,
      body: '{"message":"Missing authentication."}\n',
    });
  });
});
