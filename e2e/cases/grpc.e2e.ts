import { once } from "node:events";
import { type Certificates, createCertificates, eventually } from "@fngate/test-kit";
import {
  type CallOptions,
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { ECHO, EchoClient, type GrpcEcho, startGrpcEcho } from "../support/grpc-echo.ts";

/** What a call with one answer came to. */
interface Outcome {
  readonly value: Buffer | undefined;
  readonly head: Metadata | undefined;
  readonly code: number;
  readonly details: string;
  readonly trailers: Metadata;
}

const same = (value: Buffer): Buffer => value;

/** A call with one message. */
interface UnaryCall extends Pick<CallOptions, "deadline"> {
  readonly message?: Buffer;
  readonly metadata?: Metadata;
}

function unary(client: Client, name: string, { message, metadata, ...options }: UnaryCall = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const path = ECHO[name]?.path ?? "";
    let value: Buffer | undefined;
    let head: Metadata | undefined;
    const sent = message ?? Buffer.alloc(0);
    const call = client.makeUnaryRequest(
      path,
      same,
      same,
      sent,
      metadata ?? new Metadata(),
      options,
      (_error, answer) => {
        value = answer;
      },
    );
    call.on("metadata", (received: Metadata) => {
      head = received;
    });
    call.on("status", ({ code, details, metadata: trailers }) => {
      // The answer is handed over after the status.
      setImmediate(() => resolve({ value, head, code, details, trailers }));
    });
  });
}

const metadataOf = (fields: Readonly<Record<string, string>>): Metadata => {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return metadata;
};

describe.each(MODES)("gRPC (%s)", (mode) => {
  let gateway: Gateway;
  let plain: GrpcEcho;
  let secure: GrpcEcho;
  let certificates: Certificates;

  beforeAll(async () => {
    certificates = await createCertificates({ names: ["a.test"] });
    [plain, secure] = await Promise.all([startGrpcEcho(), startGrpcEcho(certificates.server)]);
    gateway = await startGateway(mode);
    await gateway.admin.put("/ssls/a", { sni: "a.test", ...certificates.server });
    const grpc = { scheme: "grpc", nodes: { [`127.0.0.1:${plain.port}`]: 1 } };
    const grpcs = { scheme: "grpcs", nodes: { [`127.0.0.1:${secure.port}`]: 1 } };
    const impatient = { uri: "/e2e.Echo/*", host: "impatient.test", timeout: { connect: 1, send: 1, read: 0.2 } };
    await gateway.route({
      plain: { uri: "/e2e.Echo/*", host: "plain.test", upstream: grpc },
      secure: { uri: "/e2e.Echo/*", host: "secure.test", upstream: grpcs },
      tls: { uri: "/e2e.Echo/*", host: "a.test", upstream: grpcs },
      gone: { uri: "/e2e.Echo/*", host: "gone.test", upstream: { scheme: "grpc", nodes: { "127.0.0.1:1": 1 } } },
      impatient: { ...impatient, upstream: { ...grpc, retries: 0 } },
    });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    for (const server of [plain, secure]) await server[Symbol.asyncDispose]();
  });

  /** A client of the port without TLS that asks for a host. */
  function clientOf(host: string): Client & Disposable {
    const client = new EchoClient(`127.0.0.1:${gateway.port}`, credentials.createInsecure(), {
      "grpc.default_authority": host,
    });
    return Object.assign(client, { [Symbol.dispose]: () => client.close() });
  }

  describe.each(["plain.test", "secure.test"])("to %s", (host) => {
    it("carries a unary call with metadata before and after the answer", async () => {
      using client = clientOf(host);
      const metadata = metadataOf({ "x-one": "1" });
      metadata.set("x-two-bin", Buffer.from([0, 255, 10]));
      const { head, trailers, ...rest } = await unary(client, "unary", { message: Buffer.from("hi"), metadata });
      expect(rest).toEqual({ value: Buffer.from("hi"), code: status.OK, details: "OK" });
      for (const received of [head, trailers]) {
        expect(received?.get("x-one")).toEqual(["1"]);
        expect(received?.get("x-two-bin")).toEqual([Buffer.from([0, 255, 10])]);
      }
    });

    it("carries large and empty messages", async () => {
      using client = clientOf(host);
      for (const size of [0, 3_000_000]) {
        const message = Buffer.alloc(size, "x");
        const { code, value } = await unary(client, "unary", { message });
        expect({ code, isSame: value?.equals(message) }).toEqual({ code: status.OK, isSame: true });
      }
    });

    it("keeps many calls at once apart", async () => {
      using client = clientOf(host);
      const messages = Array.from({ length: 300 }, (_, index) => Buffer.from(`message ${index}`));
      const outcomes = await Promise.all(messages.map((message) => unary(client, "unary", { message })));
      expect(outcomes.map(({ value }) => String(value))).toEqual(messages.map(String));
    });

    it("hands on the messages of a stream as the server sends them", async () => {
      const tls = host === "plain.test" ? undefined : certificates.server;
      await using server = await startGrpcEcho(tls);
      const scheme = tls === undefined ? "grpc" : "grpcs";
      const upstream = { scheme, nodes: { [`127.0.0.1:${server.port}`]: 1 } };
      await gateway.route({ stream: { uri: "/e2e.Echo/Count", host: "stream.test", upstream } });
      using client = clientOf("stream.test");
      const call: ClientReadableStream<Buffer> = client.makeServerStreamRequest(
        ECHO["count"]?.path ?? "",
        same,
        same,
        Buffer.from("20"),
      );
      const seen: string[] = [];
      call.on("data", (message: Buffer) => seen.push(message.toString()));
      await eventually(() => expect(seen).toHaveLength(19));
      server.release();
      const [end] = await once(call, "status");
      expect(end.code).toBe(status.OK);
      expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 1)));
    });

    it("adds up the messages of a client's stream", async () => {
      using client = clientOf(host);
      const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
        const call: ClientWritableStream<Buffer> = client.makeClientStreamRequest(
          ECHO["sum"]?.path ?? "",
          same,
          same,
          (error: ServiceError | null, value?: Buffer) => (error === null ? resolve(value) : reject(error)),
        );
        for (let sent = 0; sent < 100; sent += 1) call.write(Buffer.alloc(10_000));
        call.end();
      });
      expect(String(answer)).toBe("1000000");
    });

    it("lets both sides talk in turns", async () => {
      using client = clientOf(host);
      const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
        ECHO["chat"]?.path ?? "",
        same,
        same,
      );
      for (let turn = 0; turn < 20; turn += 1) {
        call.write(Buffer.from(`turn ${turn}`));
        const [message] = await once(call, "data");
        expect(String(message)).toBe(`turn ${turn}`);
      }
      call.end();
      const [end] = await once(call, "status");
      expect(end.code).toBe(status.OK);
    });

    it("hands on a server's failure with its details and metadata", async () => {
      using client = clientOf(host);
      for (const code of [status.NOT_FOUND, status.INTERNAL, status.UNAVAILABLE]) {
        const metadata = metadataOf({ code: String(code) });
        const outcome = await unary(client, "fail", { metadata });
        expect(outcome).toMatchObject({ code, details: "it failed: ü" });
        expect(outcome.trailers.get("x-why")).toEqual(["asked to"]);
      }
    });

    it("tells the server of a deadline and of a client that gave up", async () => {
      using client = clientOf(host);
      const server = host === "plain.test" ? plain : secure;
      const before = server.cancelled;
      const { code } = await unary(client, "hang", { deadline: Date.now() + 300 });
      expect(code).toBe(status.DEADLINE_EXCEEDED);
      expect(server.calls.at(-1)?.get("grpc-timeout")).toBeDefined();
      await eventually(() => expect(server.cancelled).toBe(before + 1));
    });
  });

  it("is taken on the TLS port, where the client checks the gateway's certificate", async () => {
    const { port } = gateway.dataPlane.address("https");
    const client = new EchoClient(`127.0.0.1:${port}`, credentials.createSsl(Buffer.from(certificates.ca)), {
      "grpc.ssl_target_name_override": "a.test",
      "grpc.default_authority": "a.test",
    });
    expect(await unary(client, "unary", { message: Buffer.from("hi") })).toMatchObject({
      code: status.OK,
      value: Buffer.from("hi"),
    });
    client.close();
  });

  it("tells by the status what the gateway itself answered", async () => {
    const codes = [];
    for (const host of ["nowhere.test", "gone.test", "impatient.test"]) {
      using client = clientOf(host);
      const { code } = await unary(client, "hang", { deadline: Date.now() + 20_000 });
      codes.push(code);
    }
    // HTTP 404, 502 and 504 in gRPC's terms.
    expect(codes).toEqual([status.UNIMPLEMENTED, status.UNAVAILABLE, status.UNAVAILABLE]);
  });
});
