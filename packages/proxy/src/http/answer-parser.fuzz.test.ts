import {
  type Arbitrary,
  array,
  asyncProperty,
  assert as check,
  constantFrom,
  integer,
  nat,
  option,
  pre,
  property,
  record,
  stringMatching,
  tuple,
} from "fast-check";
import { expect, test } from "vitest";
import { type OwnReading, readOwn, UndiciReader } from "../testing/answer-bytes.ts";

/** An answer as an upstream may send it, with what it means. */
interface Answer {
  readonly bytes: Buffer;
  readonly method: "GET" | "HEAD";
  readonly body: string;
}

const fieldName = stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,18}$/).map((name) => `X-${name}`);
/** Latin-1 text of any characters but those left out. */
const textOf = (maxLength: number, isAllowed: (code: number) => boolean): Arbitrary<string> =>
  array(integer({ min: 0, max: 255 }).filter(isAllowed), { maxLength }).map((codes) => String.fromCharCode(...codes));
const isPrintable = (code: number) => code === 9 || (code >= 32 && code !== 127);
const fieldValue = textOf(20, isPrintable).map((text) => text.replace(/^[\t ]+|[\t ]+$/g, ""));
const fields = array(tuple(fieldName, option(fieldValue, { nil: "" })), { maxLength: 6 });
const reason = constantFrom("OK", "", "Not \xe4t all", "Some Words here");
const bodyText = textOf(60, () => true);

// Not 100: undici takes that for a mistake, we skip it as RFC 9110 section 15.2 demands.
const interim = constantFrom("", "", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");

const chunks = array(
  tuple(
    bodyText.filter((text) => text !== ""),
    constantFrom("", ";a", ';a=b;c="d e"'),
  ),
  {
    maxLength: 5,
  },
);

/** Framing fields, the bytes of the body, and what they carry. */
const framing: Arbitrary<{ head: string; wire: string; body: string }> = integer({ min: 0, max: 2 }).chain((kind) => {
  if (kind === 0) {
    return bodyText.map((body) => ({ head: `Content-Length: ${body.length}\r\n`, wire: body, body }));
  }
  if (kind === 1) return bodyText.map((body) => ({ head: "", wire: body, body }));
  return tuple(chunks, constantFrom("", "X-Trailer: 1\r\n")).map(([list, trailer]) => ({
    head: "transfer-Encoding: Chunked\r\n",
    wire: `${list.map(([data, extension]) => `${data.length.toString(16)}${extension}\r\n${data}\r\n`).join("")}0\r\n${trailer}\r\n`,
    body: list.map(([data]) => data).join(""),
  }));
});

const answer: Arbitrary<Answer> = record({
  status: constantFrom(200, 201, 204, 304, 404, 500, 599),
  reason,
  fields,
  framing,
  interim,
  connection: constantFrom("", "", "Connection: close\r\n", "Connection: keep-alive\r\n"),
  method: constantFrom<Answer["method"]>("GET", "GET", "GET", "HEAD"),
}).map(({ status, reason: phrase, fields: list, framing: frame, interim: before, connection, method }) => {
  const hasBody = method === "GET" && status !== 204 && status !== 304;
  const lines = list.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = `HTTP/1.1 ${status} ${phrase}\r\n${lines}${frame.head}${connection}\r\n`;
  const text = before + head + (hasBody ? frame.wire : "");
  return { bytes: Buffer.from(text, "latin1"), method, body: hasBody ? frame.body : "" };
});

/** Where to cut; folded into the length. */
const cuts = array(nat(10_000), { maxLength: 12 });

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].sort((one, other) => one - other);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    if (place > from) pieces.push(bytes.subarray(from, place));
    from = place;
  }
  return pieces;
}

/** What breaks answers in practice and in attacks. */
const splinter = constantFrom(
  ...[
    "\r",
    "\n",
    "\r\n",
    "\r\n\r\n",
    "\0",
    " ",
    "\t",
    ":",
    ";",
    "0",
    "-1",
    "+1",
    "\x7f",
    "\xff",
    ",",
    "ffffffffffffffff",
  ],
  ...[
    "Content-Length: 3\r\n",
    "Content-Length: 3, 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip\r\n",
  ],
  ...["Connection: close\r\n", " folded\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.0 ", "Trailer: x\r\n", "0\r\n\r\n"],
);

const mutation = record({
  at: nat(10_000),
  removed: integer({ min: 0, max: 3 }),
  added: option(splinter, { nil: "" }),
});

function mutate(bytes: Buffer, mutations: readonly { at: number; removed: number; added: string }[]): Buffer {
  let text = bytes.toString("latin1");
  for (const { at, removed, added } of mutations) {
    const place = at % (text.length + 1);
    text = text.slice(0, place) + added + text.slice(place + removed);
  }
  return Buffer.from(text, "latin1");
}

test("every proper answer is read as undici reads it", async () => {
  await using undici = await UndiciReader.start();
  await check(
    asyncProperty(answer, cuts, async ({ bytes, method, body }, at) => {
      const { reading } = readOwn(cut(bytes, at), method === "HEAD");
      expect(reading).toMatchObject({ body });
      expect(reading).toEqual(await undici.read(bytes, method));
    }),
    { numRuns: 400 },
  );
});

test("what is taken of a broken answer is what undici takes of it", async () => {
  await using undici = await UndiciReader.start();
  await check(
    asyncProperty(
      answer,
      array(mutation, { minLength: 1, maxLength: 3 }),
      cuts,
      async ({ bytes, method }, list, at) => {
        const broken = mutate(bytes, list);
        pre(!broken.includes("HTTP/1.1 100"));
        const { reading } = readOwn(cut(broken, at), method === "HEAD");
        if (reading !== "refused") expect(reading).toEqual(await undici.read(broken, method));
      },
    ),
    { numRuns: 1_500 },
  );
});

test("where an answer is cut makes no difference", () => {
  const whole = ({ bytes, method }: Answer): OwnReading => readOwn([bytes], method === "HEAD");
  check(
    property(answer, array(mutation, { maxLength: 3 }), cuts, ({ bytes, method, body }, list, at) => {
      const broken = { bytes: mutate(bytes, list), method, body };
      const { reading, hasHead } = whole(broken);
      expect(readOwn(cut(broken.bytes, at), method === "HEAD")).toMatchObject({ reading, hasHead });
      const every = Array.from(broken.bytes, (_, index) => broken.bytes.subarray(index, index + 1));
      expect(readOwn(every, method === "HEAD")).toMatchObject({ reading, hasHead });
    }),
    { numRuns: 1_000 },
  );
});

test("no connection carries on when anything follows its answer in the same piece", () => {
  check(
    property(answer, splinter, ({ bytes, method }, rest) => {
      const followed = readOwn([Buffer.concat([bytes, Buffer.from(rest, "latin1")])], method === "HEAD");
      expect(followed.isReusable).toBe(false);
    }),
    { numRuns: 500 },
  );
});
