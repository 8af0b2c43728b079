import { HeaderList } from "@fngate/kernel";
import { describe, expect, it } from "vitest";
import { functionHeaders } from "./function-headers.ts";

const AGENT = ["user-agent", "curl/8"];

/** The flat fields a function gets, without its host. */
function sent(client: readonly string[], credentials: readonly string[] = []): readonly string[] {
  const headers = functionHeaders(new HeaderList([...client, ...AGENT]), "fn", credentials);
  return headers.raw.slice(2, -AGENT.length);
}

describe("functionHeaders", () => {
  it("replaces the client's host by the function's", () => {
    const headers = functionHeaders(new HeaderList(["Host", "gw.example:9080"]), "localhost", []);
    expect(headers.getAll("host")).toEqual(["localhost"]);
  });

  it("passes everything else on, repeats, empty values and underscores included", () => {
    const fields = ["cookie", "a=1", "cookie", "b=2", "x-empty", "", "under_score", "1", "accept-encoding", "br"];
    expect(sent(fields)).toEqual(fields);
  });

  it("passes on more than a hundred fields", () => {
    const fields = Array.from({ length: 150 }, (_, index) => [`x-${index}`, "v"]).flat();
    expect(sent(fields)).toEqual(fields);
  });

  it.each(["x-forwarded-for", "x-real-ip", "proxy-authorization", "trailer", "traceparent", "x-forwarded-host"])(
    "passes %s on as it came",
    (name) => {
      expect(sent([name, "9.9.9.9"])).toEqual([name, "9.9.9.9"]);
    },
  );

  it.each([
    ["Connection", "keep-alive"],
    ["Keep-Alive", "timeout=5"],
    ["Proxy-Connection", "keep-alive"],
    ["Upgrade", "h2c"],
    ["TE", "gzip"],
    ["Expect", "100-continue"],
    ["Content-Length", "5"],
    ["Transfer-Encoding", "chunked"],
  ])("keeps %s from the function", (name, value) => {
    expect(sent([name, value])).toEqual([]);
  });

  it("drops the fields that Connection names, in any case and over several fields", () => {
    const client = [
      "X-Hop",
      "1",
      "x-two",
      "2",
      "x-kept",
      "3",
      "Connection",
      "x-hop, Keep-Alive",
      "Connection",
      "X-TWO",
    ];
    expect(sent(client)).toEqual(["x-kept", "3"]);
  });

  it("lets the trailers item of TE through", () => {
    const headers = functionHeaders(new HeaderList(["TE", "gzip, Trailers"]), "fn", []);
    expect(headers.getAll("te")).toEqual(["trailers"]);
  });

  it("sends credentials in place of the client's own", () => {
    expect(sent(["Authorization", "Bearer abc"], ["authorization", "Basic dGVzdDp0ZXN0"])).toEqual([
      "authorization",
      "Basic dGVzdDp0ZXN0",
    ]);
  });

  it("names the gateway as the agent only when the client named none", () => {
    expect(functionHeaders(new HeaderList(["User-Agent", "curl/8"]), "fn", []).getAll("user-agent")).toEqual([
      "curl/8",
    ]);
    expect(functionHeaders(new HeaderList(), "fn", []).getAll("user-agent")).toEqual(["fngate"]);
  });
});
