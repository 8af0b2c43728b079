import { once } from "node:events";
import {
  type handleUnaryCall,
  Metadata,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";

const bytes = {
  requestSerialize: (value: Buffer) => value,
  requestDeserialize: (value: Buffer) => value,
  responseSerialize: (value: Buffer) => value,
  responseDeserialize: (value: Buffer) => value,
};

function method(name: string, requestStream: boolean, responseStream: boolean) {
  return { path: `/e2e.Echo/${name}`, requestStream, responseStream, ...bytes };
}

/** A service whose messages are bytes, with each of the four kinds of calls. */
export const ECHO: ServiceDefinition = {
  /** Answers with the message; metadata beginning with `x-` comes back before and after it. */
  unary: method("Unary", false, false),
  /** Answers with as many messages as the message says, the last of them when {@link GrpcEcho.release} is called. */
  count: method("Count", false, true),
  /** Answers with the number of bytes received. */
  sum: method("Sum", true, false),
  /** Answers each message with itself. */
  chat: method("Chat", true, true),
  /** Fails as the metadata `code` says, before anything is answered, with details and metadata. */
  fail: method("Fail", false, false),
  /** Never answers. */
  hang: method("Hang", false, false),
};

/** The client's side of {@link ECHO}. */
export const EchoClient = makeGenericClientConstructor(ECHO, "Echo");

/** A gRPC server made by the library that services are made with. */
export class GrpcEcho implements AsyncDisposable {
  readonly port: number;
  /** Metadata of the calls, in order. */
  readonly calls: Metadata[];
  readonly #server: Server;
  readonly #gate: Gate;

  constructor(parts: { server: Server; port: number; calls: Metadata[]; gate: Gate }) {
    this.#server = parts.server;
    this.port = parts.port;
    this.calls = parts.calls;
    this.#gate = parts.gate;
  }

  /** Calls that their clients gave up. */
  get cancelled(): number {
    return this.#gate.cancelled;
  }

  /** Lets `count` go on to its last message. */
  release(): void {
    this.#gate.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}

class Gate {
  cancelled = 0;
  readonly #opened = Promise.withResolvers<void>();

  open(): void {
    this.#opened.resolve();
  }

  passed(): Promise<void> {
    return this.#opened.promise;
  }
}

/** Starts {@link ECHO} on a port of its own; with a key pair it speaks TLS. */
export async function startGrpcEcho(tls?: { readonly cert: string; readonly key: string }): Promise<GrpcEcho> {
  const server = new Server();
  const calls: Metadata[] = [];
  const gate = new Gate();
  server.addService(ECHO, handlers(calls, gate));
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  return new GrpcEcho({ server, port, calls, gate });
}

function handlers(calls: Metadata[], gate: Gate) {
  const unary: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
    calls.push(call.metadata);
    const own = new Metadata();
    for (const [name, value] of Object.entries(call.metadata.getMap())) if (name.startsWith("x-")) own.set(name, value);
    call.sendMetadata(own);
    callback(null, call.request, own);
  };
  const fail: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
    const metadata = new Metadata();
    metadata.set("x-why", "asked to");
    callback({ code: Number(call.metadata.get("code")[0] ?? status.UNKNOWN), details: "it failed: ü", metadata });
  };
  return {
    unary,
    fail,
    count: (call: ServerWritableStream<Buffer, Buffer>) => void count(call, gate),
    sum: async (call: AsyncIterable<Buffer>, callback: (error: null, value: Buffer) => void) => {
      let sum = 0;
      for await (const message of call) sum += message.length;
      callback(null, Buffer.from(String(sum)));
    },
    chat: (call: ServerDuplexStream<Buffer, Buffer>) => {
      calls.push(call.metadata);
      call.on("data", (message: Buffer) => call.write(message));
      call.on("end", () => call.end());
    },
    hang: (call: ServerUnaryCall<Buffer, Buffer>) => {
      calls.push(call.metadata);
      call.on("cancelled", () => {
        gate.cancelled += 1;
      });
    },
  };
}

async function count(call: ServerWritableStream<Buffer, Buffer>, gate: Gate): Promise<void> {
  const most = Number(call.request.toString());
  call.on("cancelled", () => {
    gate.cancelled += 1;
  });
  for (let sent = 1; sent <= most && !call.cancelled; sent += 1) {
    if (sent === most) await gate.passed();
    if (!call.write(Buffer.from(String(sent)))) await once(call, "drain");
  }
  call.end();
}
