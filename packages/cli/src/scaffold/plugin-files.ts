/** Where the gateway is, seen from the plugin's folder; relative paths with slashes. */
export interface GatewayPlace {
  /** Module that gives tests the gateway's packages. */
  readonly provide: string;
  /** Folder of the gateway's packages. */
  readonly packages: string;
  /** Whether it runs from its TypeScript sources. */
  readonly areSources: boolean;
}

/** The files of a new plugin by name. */
export function pluginFiles(name: string, gateway: GatewayPlace): Readonly<Record<string, string>> {
  return {
    "package.json": json(manifestOf(name, gateway)),
    "tsconfig.json": json(compilerOptions(gateway)),
    "index.ts": sourceOf(name),
    "index.test.ts": testOf(name),
    "README.md": `# ${name}\n\nAdds a greeting to every answer.\n\n| Name | Default | Description |\n| --- | --- | --- |\n| \`greeting\` | \`"hello"\` | Value of the field, with \`$variables\`. |\n\n\`npm test\` runs the tests; nothing has to be installed for them.\n`,
  };
}

function manifestOf(name: string, { areSources, provide }: GatewayPlace): object {
  const condition = areSources ? "--conditions=@fngate/source " : "";
  return {
    name,
    version: "0.1.0",
    private: true,
    type: "module",
    exports: "./index.ts",
    engines: { node: ">=24" },
    scripts: { test: `node ${condition}--import ${provide} --test` },
  };
}

/** For editors; the gateway runs TypeScript as it is. */
function compilerOptions({ packages }: GatewayPlace): object {
  return {
    compilerOptions: {
      target: "es2024",
      lib: ["es2024", "esnext.disposable"],
      module: "nodenext",
      strict: true,
      noEmit: true,
      erasableSyntaxOnly: true,
      allowImportingTsExtensions: true,
      customConditions: ["@fngate/source"],
      skipLibCheck: true,
      typeRoots: [`${packages}/../node_modules/@types`],
      types: ["node"],
      paths: {
        "@fngate/plugin-kit": [`${packages}/plugin-kit/src/index.ts`],
        "@fngate/plugin-kit/testing": [`${packages}/plugin-kit/src/testing/index.ts`],
        zod: [`${packages}/plugin-kit/node_modules/zod/index.d.ts`],
      },
    },
    include: ["*.ts"],
  };
}

function sourceOf(name: string): string {
  return `import { compileTemplate, definePlugin } from "@fngate/plugin-kit";
import { z } from "zod";

/** Adds a greeting to every answer. */
export default definePlugin({
  name: "${name}",
  version: 0.1,
  priority: 50,
  schema: z.object({
    greeting: z.string().default("hello").describe("Value of the field, with $variables."),
  }),
  setup({ greeting }) {
    // What depends on the configuration alone is done here, once, and not for each request.
    const template = compileTemplate(greeting);
    return {
      headerFilter({ response, variables }) {
        response.headers.set("X-Greeting", template.render(variables));
        return undefined;
      },
    };
  },
});
`;
}

function testOf(name: string): string {
  return `import assert from "node:assert/strict";
import { test } from "node:test";
import { runGateway } from "@fngate/plugin-kit/testing";
import plugin from "./index.ts";

test("greets whoever asks", async () => {
  await using gateway = await runGateway({
    plugins: [plugin],
    routes: { 1: { uri: "/*", plugins: { "${name}": { greeting: "hello $arg_name" } } } },
  });
  const answer = await gateway.get("/?name=jack");
  assert.equal(answer.headers["x-greeting"], "hello jack");
});
`;
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
