import { createRequire } from "node:module";
import { lazy } from "@fngate/kernel";

const require = createRequire(import.meta.url);
const compiler = lazy((): typeof import("protobufjs") => require("protobufjs"));
const descriptors = lazy((): typeof import("protobufjs/ext/descriptor/index.js") =>
  require("protobufjs/ext/descriptor/index.js"),
);

/**
 * What is wrong with a protocol buffer definition (`.proto` source, or base64 of a binary `FileDescriptorSet`), or
 * nothing. Imports other than `google/protobuf/*` cannot be resolved, as there is one content only. The reasons are
 * the compiler's own words, where APISIX has another compiler's. APISIX: proto content.
 */
export function protoContentProblem(content: string): string | undefined {
  if (isDescriptorSet(content)) return undefined;
  const protobuf = compiler();
  try {
    const { imports = [], root } = protobuf.parse(content, new protobuf.Root(), { keepCase: true });
    for (const name of imports) {
      const known = protobuf.common.get(name);
      if (known === null) return `invalid content: import "${name}" cannot be resolved`;
      root.addJSON(known.nested ?? {});
    }
    root.resolveAll();
    return undefined;
  } catch (error) {
    return `invalid content: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Source always has characters that base64 lacks. */
function isDescriptorSet(content: string): boolean {
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(content)) return false;
  try {
    const { FileDescriptorSet } = descriptors();
    const { file } = FileDescriptorSet.toObject(FileDescriptorSet.decode(Buffer.from(content, "base64")));
    return Array.isArray(file) && file.length > 0;
  } catch {
    return false;
  }
}
