import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { AddressInfo } from "node:net";

/** What a test's server knows of a name. */
export interface DnsZone {
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  readonly srv?: readonly { priority: number; weight: number; port: number; target: string }[];
  readonly ttlSeconds?: number;
}

const TYPES = { A: 1, AAAA: 28, SRV: 33 } as const;
const SERVER_FAILURE = 2;
const NAME_ERROR = 3;

/** A DNS server over UDP that answers from a table (RFC 1035 section 4), and can be told to fail or to stay silent. */
export class DnsServer implements AsyncDisposable {
  readonly zones = new Map<string, DnsZone>();
  /** Questions so far: `A name`. */
  readonly questions: string[] = [];
  behaviour: "answer" | "fail" | "silent" = "answer";
  readonly #socket: Socket = createSocket("udp4");

  async listen(): Promise<this> {
    this.#socket.on("message", (message, peer) => this.#onMessage(message, peer));
    await new Promise<void>((resolve) => this.#socket.bind(0, "127.0.0.1", resolve));
    return this;
  }

  /** For `dns.setServers`. */
  get address(): string {
    return `127.0.0.1:${(this.#socket.address() as AddressInfo).port}`;
  }

  #onMessage(message: Buffer, peer: RemoteInfo): void {
    const { name, end } = readName(message, 12);
    const type = message.readUInt16BE(end);
    const kind = Object.entries(TYPES).find(([, number]) => number === type)?.[0] ?? String(type);
    this.questions.push(`${kind} ${name}`);
    if (this.behaviour === "silent") return;
    const zone = this.zones.get(name);
    const answers = zone === undefined || this.behaviour === "fail" ? [] : recordsOf(zone, type);
    const code = this.behaviour === "fail" ? SERVER_FAILURE : zone === undefined ? NAME_ERROR : 0;
    const header = Buffer.alloc(12);
    message.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers.length, 6);
    const question = message.subarray(12, end + 4);
    this.#socket.send(Buffer.concat([header, question, ...answers]), peer.port, peer.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

function recordsOf({ a = [], aaaa = [], srv = [], ttlSeconds = 60 }: DnsZone, type: number): Buffer[] {
  const record = (data: Buffer): Buffer => {
    const head = Buffer.alloc(12);
    // The name is that of the question, which begins at byte 12.
    head.writeUInt16BE(0xc00c, 0);
    head.writeUInt16BE(type, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(ttlSeconds, 6);
    head.writeUInt16BE(data.length, 10);
    return Buffer.concat([head, data]);
  };
  if (type === TYPES.A) return a.map((address) => record(Buffer.from(address.split(".").map(Number))));
  if (type === TYPES.AAAA) return aaaa.map((address) => record(ipv6Bytes(address)));
  if (type !== TYPES.SRV) return [];
  return srv.map(({ priority, weight, port, target }) => {
    const numbers = Buffer.alloc(6);
    numbers.writeUInt16BE(priority, 0);
    numbers.writeUInt16BE(weight, 2);
    numbers.writeUInt16BE(port, 4);
    return record(Buffer.concat([numbers, writeName(target)]));
  });
}

/** An address with every group written out or one `::`. */
function ipv6Bytes(address: string): Buffer {
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const gap: string[] = new Array(8 - groups(head).length - groups(tail).length).fill("0");
  return Buffer.from([...groups(head), ...gap, ...groups(tail)].map((group) => group.padStart(4, "0")).join(""), "hex");
}

function writeName(name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message[at] ?? 0; length !== 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  // Case means nothing, and resolvers mix it to be harder to fool.
  return { name: labels.join(".").toLowerCase(), end: at + 1 };
}
