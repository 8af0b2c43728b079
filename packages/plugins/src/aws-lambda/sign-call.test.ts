import { createHash, createHmac } from "node:crypto";
import { HeaderList } from "@fngate/kernel";
import type { FunctionCall } from "@fngate/plugin-kit";
import { fakeConnections } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { signCall } from "./sign-call.ts";

/** Credentials, time and host of AWS's published test vectors. */
const ACCESS_KEY = {
  accesskey: "AKIDEXAMPLE",
  secretkey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  aws_region: "us-east-1",
  service: "service",
};
const NOW_MS = Date.UTC(2015, 7, 30, 12, 36, 0);

const endpoint = fakeConnections().acquire({
  scheme: "https",
  host: "example.amazonaws.com",
  port: 443,
  keepalive: { idleConnections: 1, idleTimeoutMs: 1 },
  timeouts: { connectMs: 1, sendMs: 1, readMs: 1 },
});

function call(target: string, more: { method?: string; headers?: readonly string[] } = {}): FunctionCall {
  return {
    kind: "call",
    endpoint,
    method: more.method ?? "GET",
    target,
    headers: new HeaderList(["host", "example.amazonaws.com", ...(more.headers ?? [])]),
    maxBodyBytes: 100,
    bodyTooLargeStatus: 400,
    failureStatus: 503,
  };
}

const sign = (made: FunctionCall, body = ""): FunctionCall =>
  signCall(made, Buffer.from(body), { accessKey: ACCESS_KEY, nowMs: NOW_MS });

const signatureOf = ({ headers }: FunctionCall): string =>
  /Signature=([0-9a-f]{64})$/.exec(headers.get("authorization") ?? "")?.[1] ?? "none";

const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");

/** What AWS computes from a request that arrived: its own reading of the specification, beside the library's. */
function expectedSignature(sent: FunctionCall, path: string, body = ""): string {
  const names = /SignedHeaders=([^,]+),/.exec(sent.headers.get("authorization") ?? "")?.[1] ?? "";
  const fields = names.split(";").map((name) => `${name}:${sent.headers.getAll(name).join(",").trim()}\n`);
  const query = sent.target.split("?")[1] ?? "";
  const canonical = [sent.method, path, query, fields.join(""), names, sha256(body)].join("\n");
  const scope = "20150830/us-east-1/service/aws4_request";
  const toSign = ["AWS4-HMAC-SHA256", "20150830T123600Z", scope, sha256(canonical)].join("\n");
  const steps = ["20150830", "us-east-1", "service", "aws4_request", toSign];
  let key: Buffer = Buffer.from(`AWS4${ACCESS_KEY.secretkey}`);
  for (const step of steps) key = createHmac("sha256", key).update(step).digest();
  return key.toString("hex");
}

describe("signCall", () => {
  it.each([
    ["/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
    ["/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"],
  ])("signs %s as AWS's own vectors have it", (target, signature) => {
    const signed = sign(call(target));
    expect(signed.headers.get("x-amz-date")).toBe("20150830T123600Z");
    expect(signed.headers.get("authorization")).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    );
  });

  it("sends the query in exactly the form that was signed", () => {
    const signed = sign(call("/fn?with%20space=a%2Fb%20c&multi=m2&multi=m1&flag&a=*&a-=x&%C3%A4=(1)"));
    expect(signed.target).toBe("/fn?%C3%A4=%281%29&a=%2A&a-=x&flag=&multi=m1&multi=m2&with%20space=a%2Fb%20c");
    expect(signatureOf(signed)).toBe(expectedSignature(signed, "/fn"));
  });

  it.each([
    ["/a/b", "/a/b"],
    ["/a//b/", "/a/b/"],
    ["/a%20b/@c", "/a%2520b/%40c"],
  ])("signs the path %s as %s, as AWS reads it, and sends it as it is", (path, canonical) => {
    const signed = sign(call(path));
    expect(signed.target).toBe(path);
    expect(signatureOf(signed)).toBe(expectedSignature(signed, canonical));
  });

  it("signs the body and the client's fields, and adds none of its own", () => {
    const signed = sign(call("/", { method: "POST", headers: ["content-type", "text/plain", "x-own", " a "] }), "text");
    expect(signatureOf(signed)).toBe(expectedSignature(signed, "/", "text"));
    expect(signed.headers.raw.filter((_, index) => index % 2 === 0)).toEqual([
      "host",
      "content-type",
      "x-own",
      "x-amz-date",
      "authorization",
    ]);
    expect(signatureOf(sign(call("/", { method: "POST" }), "other"))).not.toBe(
      signatureOf(sign(call("/", { method: "POST" }), "text")),
    );
  });

  it("sends repeated fields as one, so that both sides read the same", () => {
    const signed = sign(call("/", { headers: ["X-A", "1", "x-a", "2", "cookie", "a=1", "cookie", "b=2"] }));
    expect(signed.headers.getAll("x-a")).toEqual(["1, 2"]);
    expect(signed.headers.getAll("cookie")).toEqual(["a=1; b=2"]);
    expect(signatureOf(signed)).toBe(expectedSignature(signed, "/"));
  });

  it("puts the gateway's time in place of a date that the client chose", () => {
    const signed = sign(call("/", { headers: ["X-Amz-Date", "20010101T000000Z", "date", "no date"] }));
    expect(signed.headers.getAll("x-amz-date")).toEqual(["20150830T123600Z"]);
    expect(signatureOf(signed)).toBe(expectedSignature(signed, "/"));
  });

  it("leaves unsigned, but sends, what may change on the way or can be read in two ways", () => {
    const signed = sign(call("/", { headers: ["user-agent", "curl", "te", "trailers", "x-name", "J\u00fcrgen"] }));
    expect(signed.headers.get("authorization")).toContain("SignedHeaders=host;x-amz-date,");
    expect([signed.headers.get("user-agent"), signed.headers.get("x-name")]).toEqual(["curl", "J\u00fcrgen"]);
  });

  it("takes names of arguments and fields that objects have members of", () => {
    const signed = sign(call("/?constructor=1&toString=2", { headers: ["constructor", "x"] }));
    expect(signed.target).toBe("/?constructor=1&toString=2");
    expect(signatureOf(signed)).toBe(expectedSignature(signed, "/"));
  });
});
