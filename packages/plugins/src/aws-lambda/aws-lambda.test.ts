import { describePlugin } from "@fngate/plugin-kit/testing";
import { startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { awsLambda } from "./index.ts";
import { awsLambdaSchema } from "./schema.ts";

const IAM = { accesskey: "id-of-the-key", secretkey: "very-secret-key" };
const uri = "https://api.example/";

describePlugin(awsLambda, {
  folder: import.meta.dirname,
  config: { function_uri: "//fn.example/path", authorization: { apikey: "very-secret-api-key", iam: IAM } },
});

describeSchema(awsLambdaSchema, {
  defaults: [
    { function_uri: uri, authorization: { iam: IAM } },
    {
      function_uri: uri,
      ssl_verify: true,
      timeout: 3000,
      keepalive: true,
      keepalive_timeout: 60_000,
      keepalive_pool: 5,
      max_req_body_size: 67_108_864,
      authorization: { iam: { ...IAM, aws_region: "us-east-1", service: "execute-api" } },
    },
  ],
  accepts: [
    { function_uri: uri, authorization: {} },
    { function_uri: uri, authorization: { apikey: "k", iam: { ...IAM, service: "lambda", other: 1 } } },
  ],
  refuses: [
    [{}, "function_uri"],
    [{ function_uri: uri, authorization: { iam: { secretkey: "s" } } }, "authorization.iam.accesskey"],
    [{ function_uri: uri, authorization: { iam: { accesskey: "s" } } }, "authorization.iam.secretkey"],
    [{ function_uri: uri, authorization: { apikey: 1 } }, "authorization.apikey"],
    [{ function_uri: uri, timeout: 99 }, "timeout"],
  ],
});

describe("aws-lambda", () => {
  /** What a function sees of one request, and what the client gets. */
  async function called(authorization: object | undefined, headers: Record<string, string> = {}, body?: string) {
    await using lambda = await startEchoUpstream({ reply: { status: 201, headers: {}, body: "made" } });
    const config = {
      function_uri: `${lambda.origin}/fn`,
      max_req_body_size: 10,
      ...(authorization && { authorization }),
    };
    await using gateway = await gatewayWith(awsLambda, config);
    const method = body === undefined ? "GET" : "POST";
    const answer = await gateway.send("/a?b=1&a", { method, headers, ...(body === undefined ? {} : { body }) });
    return { answer, seen: lambda.requests[0] };
  }

  it("sends the API key, and then signs nothing", async () => {
    const { answer, seen } = await called({ apikey: "key", iam: IAM });
    expect(answer).toMatchObject({ status: 201, body: "made" });
    expect(seen).toMatchObject({ url: "/fn/a?b=1&a" });
    expect(seen?.headers).toMatchObject({ "x-api-key": "key" });
    expect(seen?.headers).not.toHaveProperty("authorization");
  });

  it("leaves the client's own API key alone, and signs when there is an access key", async () => {
    const alone = await called({ apikey: "key" }, { "x-api-key": "own" });
    expect(alone.seen?.headers).toMatchObject({ "x-api-key": "own" });
    const signed = await called({ apikey: "key", iam: IAM }, { "x-api-key": "own" });
    expect(signed.seen?.headers).toMatchObject({
      "x-api-key": "own",
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=id-of-the-key\/\d{8}\/us-east-1\/execute-api\//,
      ),
    });
  });

  it("signs with the access key, and sends the body that was signed", async () => {
    const { seen } = await called({ iam: { ...IAM, aws_region: "eu-central-1", service: "lambda" } }, {}, "0123456789");
    expect(seen).toMatchObject({ url: "/fn/a?a=&b=1" });
    expect(seen?.headers["x-amz-date"]).toMatch(/^\d{8}T\d{6}Z$/);
    expect(seen?.headers.authorization).toMatch(/\/eu-central-1\/lambda\/aws4_request, SignedHeaders=[^,]*host;/);
    expect([seen?.headers["content-length"], String(seen?.body)]).toEqual(["10", "0123456789"]);
  });

  it("signs nothing over the client's own Authorization, or without an access key", async () => {
    const own = { authorization: "Bearer own" };
    expect((await called({ iam: IAM }, own)).seen?.headers).toMatchObject(own);
    const { seen } = await called(undefined);
    expect(seen?.headers).not.toHaveProperty("authorization");
    expect(seen?.headers).not.toHaveProperty("x-amz-date");
  });

  it.each([{}, { "transfer-encoding": "chunked" }])("answers 400 to a body over the limit (%j)", async (headers) => {
    const { answer, seen } = await called({ iam: IAM }, headers, "01234567890");
    expect([answer.status, seen]).toEqual([400, undefined]);
  });

  it("signs bodies that come in chunks", async () => {
    const { seen } = await called({ iam: IAM }, { "transfer-encoding": "chunked" }, "chunked");
    expect([seen?.headers["content-length"], String(seen?.body)]).toEqual(["7", "chunked"]);
  });
});
