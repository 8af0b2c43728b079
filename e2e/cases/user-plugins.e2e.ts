import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually, type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { runFngate } from "../support/run-fngate.ts";

const GREETING = `
import { definePlugin } from "@fngate/plugin-kit";
import { z } from "zod";
import { greet } from "./words.ts";

interface Named { readonly name: string }

export default definePlugin({
  name: "greeting",
  version: 0.1,
  priority: 10,
  schema: z.object({ name: z.string().min(1).describe("Who is greeted.") }),
  setup: ({ name }: Named) => ({
    access: ({ request }) => {
      if (request.path === "/throw") throw new Error("kaput");
      return { kind: "reply", status: 200, body: greet(name) };
    },
  }),
});
`;

const wordsOf = (word: string): string => `export const greet = (name: string): string => \`${word} \${name}\`;\n`;

async function writePlugin(directory: string, word: string): Promise<void> {
  await mkdir(join(directory, "greeting"), { recursive: true });
  await writeFile(join(directory, "greeting/index.ts"), GREETING);
  await writeFile(join(directory, "greeting/words.ts"), wordsOf(word));
}

describe.each(MODES)("a plugin of the user's own (%s)", (mode) => {
  let directory: TempDirectory;
  let gateway: Gateway;
  const greeted = async (): Promise<string> => (await fetch(`${gateway.origin}/hi`)).text();

  beforeAll(async () => {
    directory = await tempDirectory();
    await writePlugin(directory.path, "hello");
    gateway = await startGateway(mode, { pluginPaths: [directory.path] });
    await gateway.route({
      1: { uri: "/hi", plugins: { greeting: { name: "jack" } } },
      2: { uri: "/throw", plugins: { greeting: { name: "jack" } } },
    });
  });

  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await directory?.[Symbol.asyncDispose]();
  });

  it("is listed, shows its schema, and is validated like those that come with the gateway", async () => {
    const { admin } = gateway;
    expect((await admin.send("GET", "/plugins/list")).body).toContain("greeting");
    expect((await admin.send("GET", "/schema/plugins/greeting")).body).toMatchObject({
      properties: { name: { type: "string" } },
      required: ["name"],
    });
    const refused = await admin.send("PUT", "/routes/3", { uri: "/3", plugins: { greeting: { name: 3 } } });
    expect(refused).toMatchObject({
      status: 400,
      body: {
        error_msg:
          'failed to check the configuration of plugin greeting err: property "name" validation failed: wrong type: expected string, got number',
      },
    });
  });

  it("answers, and costs only its own request a 500 when it throws", async () => {
    expect(await greeted()).toBe("hello jack");
    expect((await fetch(`${gateway.origin}/throw`)).status).toBe(500);
    expect(await greeted()).toBe("hello jack");
  });

  it("is loaded again with all of its files, and no request fails meanwhile", async () => {
    const seen = new Set<string>();
    let isDone = false;
    const client = async (): Promise<void> => {
      while (!isDone) {
        const answer = await fetch(`${gateway.origin}/hi`);
        seen.add(`${answer.status} ${await answer.text()}`);
      }
    };
    const load = Promise.all([client(), client(), client()]);
    await writeFile(join(directory.path, "greeting/words.ts"), wordsOf("good day"));
    expect(await gateway.admin.put("/plugins/reload", undefined)).toMatchObject({ text: "done" });
    await eventually(async () => expect(await greeted()).toBe("good day jack"), { deadlineMs: 10_000 });
    isDone = true;
    await load;
    expect([...seen].toSorted()).toEqual(["200 good day jack", "200 hello jack"]);
  });

  it("is loaded again by the data plane alone when its Control API is asked to", async () => {
    await writeFile(join(directory.path, "greeting/words.ts"), wordsOf("good evening"));
    const { host, port } = gateway.dataPlane.address("control");
    const answer = await fetch(`http://${host}:${port}/v1/plugins/reload`, { method: "PUT" });
    expect([answer.status, await answer.text()]).toEqual([200, "done"]);
    await eventually(async () => expect(await greeted()).toBe("good evening jack"));
    await writeFile(join(directory.path, "greeting/words.ts"), wordsOf("good day"));
    await fetch(`http://${host}:${port}/v1/plugins/reload`, { method: "PUT" });
    await eventually(async () => expect(await greeted()).toBe("good day jack"));
  });

  it("stays what it was when its new version is broken, and the answer says why", async () => {
    await writeFile(join(directory.path, "greeting/words.ts"), "export const greet = (name => `;\n");
    const answer = await gateway.admin.send("PUT", "/plugins/reload");
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({
      error_msg: expect.stringMatching(/greeting\/index\.ts: it cannot be loaded: .*words\.ts/),
    });
    expect(await greeted()).toBe("good day jack");
    await gateway.admin.put("/routes/4", { uri: "/4", plugins: { greeting: { name: "jill" } } });
    await gateway.settle();
    expect(await (await fetch(`${gateway.origin}/4`)).text()).toBe("good day jill");
  });
});

it("a plugin that is none keeps the gateway from starting, with the file and what to write", async () => {
  await using directory = await tempDirectory();
  await mkdir(join(directory.path, "odd"));
  await writeFile(join(directory.path, "odd/index.ts"), 'export default { name: "Odd One", priority: "high" };\n');
  await writeFile(
    join(directory.path, "config.yaml"),
    "deployment: { role_traditional: { config_provider: embedded } }\nfngate: { plugin_paths: [./odd] }\n",
  );
  const outcome = await runFngate(["start", "--config", "config.yaml"], { cwd: directory.path });
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toContain(
    'fngate: plugin odd/index.ts: name "Odd One" is no plugin name; write lower-case words',
  );
});
