import { once } from "node:events";
import { connect, createServer, type ServerHttp2Stream } from "node:http2";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { connectionOf } from "./client-connection.ts";
import { Http2Exchange } from "./http2-exchange.ts";
import { readHttp2Head } from "./http2-head.ts";

interface Seen {
  readonly headers: Record<string, unknown>;
  readonly trailers: Record<string, unknown> | undefined;
  /** The head was the end. */
  readonly isHeadAll: boolean;
  readonly body: string;
}

/** What a client sees of an answer. */
async function seen(answer: (exchange: Http2Exchange) => void): Promise<Seen> {
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream, ...[, , fields]: [unknown, unknown, string[]]) => {
    const socket = stream.session?.socket;
    if (socket !== undefined) answer(new Http2Exchange(stream, readHttp2Head(fields), connectionOf(socket)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const client = connect(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`);
  const stream = client.request({ ":path": "/" });
  let trailers: Record<string, unknown> | undefined;
  stream.on("trailers", (fields) => {
    trailers = { ...fields };
  });
  let isHeadAll = false;
  const [headers] = await new Promise<[Record<string, unknown>]>((resolve) => {
    stream.once("response", (fields, flags) => {
      isHeadAll = (flags & 1) === 1;
      resolve([{ ...fields }]);
    });
  });
  const body = await text(stream);
  client.close();
  server.close();
  return { headers, trailers, isHeadAll, body };
}

const GRPC = ["Content-Type", "application/grpc"];

test("trailers follow the body", async () => {
  const { body, trailers } = await seen((exchange) => {
    exchange.writeHead(200, "", GRPC);
    exchange.write("message");
    exchange.trailers(["grpc-status", "0"]);
    exchange.end();
  });
  expect(body).toBe("message");
  expect(trailers).toMatchObject({ "grpc-status": "0" });
});

test("an answer that could have had trailers ends well without", async () => {
  const { body, trailers } = await seen((exchange) => {
    exchange.writeHead(200, "", [...GRPC, "Trailer", "x"]);
    exchange.end("message");
  });
  expect(body).toBe("message");
  expect(Object.keys(trailers ?? {})).toEqual([]);
});

test("a gRPC error without body is one head", async () => {
  const { headers, isHeadAll } = await seen((exchange) => {
    exchange.writeHead(200, "", [...GRPC, "grpc-status", "12"]);
    exchange.end();
  });
  expect(headers).toMatchObject({ ":status": 200, "grpc-status": "12" });
  expect(isHeadAll).toBe(true);
});

test("a head with a status goes out with the first piece of a body after all", async () => {
  const { body, headers, isHeadAll } = await seen((exchange) => {
    exchange.writeHead(200, "", [...GRPC, "grpc-status", "0"]);
    exchange.write("mess");
    exchange.end("age");
  });
  expect([body, headers["grpc-status"], isHeadAll]).toEqual(["message", "0", false]);
});

test("a head that only announces a status does not wait to be the end", async () => {
  const { headers, isHeadAll } = await seen((exchange) => {
    exchange.writeHead(200, "", [...GRPC, "Trailer", "grpc-status"]);
    exchange.end();
  });
  expect([headers["trailer"], isHeadAll]).toEqual(["grpc-status", false]);
});

test("a value that cannot be sent is refused and not left out", async () => {
  const { headers } = await seen((exchange) => {
    expect(() => exchange.writeHead(200, "", ["x", "a\r\nb: c"])).toThrow(/Invalid character/);
    exchange.writeHead(500, "", []);
    exchange.end();
  });
  expect(headers[":status"]).toBe(500);
});

test("of a field that may stand once, said twice by the upstream, the first counts", async () => {
  const { headers } = await seen((exchange) => {
    exchange.writeHead(200, "", ["ETag", "1", "ETag", "2", "Set-Cookie", "a", "Set-Cookie", "b"]);
    exchange.end();
  });
  expect(headers).toMatchObject({ etag: "1", "set-cookie": ["a", "b"] });
});
