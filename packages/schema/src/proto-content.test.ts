import descriptor from "protobufjs/ext/descriptor/index.js";
import { describe, expect, it } from "vitest";
import { protoContentProblem } from "./proto-content.ts";

const HELLO = `syntax = "proto3";
package proto;
message HelloRequest { string name = 1; }
message HelloResponse { int32 code = 1; string msg = 2; }
service Hello { rpc SayHi (HelloRequest) returns (HelloResponse) {} }`;

function descriptorSetOf(...names: readonly string[]): string {
  const file = names.map((name) => ({ name, package: "p" }));
  const message = descriptor.FileDescriptorSet.create({ file });
  return Buffer.from(descriptor.FileDescriptorSet.encode(message).finish()).toString("base64");
}

describe("protoContentProblem", () => {
  it.each([
    ["a service with its messages", HELLO],
    ["a service without package", HELLO.replace("package proto;", "")],
    [
      "an import of a well-known type",
      `syntax = "proto3"; import "google/protobuf/timestamp.proto";
      message A { google.protobuf.Timestamp at = 1; }`,
    ],
    ["a binary descriptor set in base64", descriptorSetOf("a.proto")],
  ])("takes %s", (_title, content) => {
    expect(protoContentProblem(content)).toBeUndefined();
  });

  it.each([
    [HELLO.replace("msg = 2", "msg = 1"), /^invalid content: duplicate id 1/],
    [HELLO.replace("string name", "Missing name"), /^invalid content: no such Type or Enum 'Missing'/],
    ["not a proto", /^invalid content: illegal token 'not'/],
    ['syntax = "proto3"; import "other.proto";', /^invalid content: import "other.proto" cannot be resolved$/],
    [Buffer.from("no descriptor set").toString("base64"), /^invalid content: /],
  ])("refuses %j", (content, message) => {
    expect(protoContentProblem(content)).toMatch(message);
  });
});
