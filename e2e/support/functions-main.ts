/** A process of real functions: each registered below gets a functions-framework server of its own. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type HttpFunction, http } from "@google-cloud/functions-framework";
import { getTestServer } from "@google-cloud/functions-framework/testing";

/** Streams that wait for their release, by the id their caller chose. */
const waiting = new Map<string, () => void>();
const states = new Map<string, string>();

const functions: Readonly<Record<string, HttpFunction>> = {
  /** Tells what it was called with. */
  echo(request, response) {
    const { method, path, query, headers } = request;
    response.json({ method, path, query, headers, body: request.rawBody?.toString("latin1") ?? "" });
  },

  /** Gives the body back as it came. */
  body(request, response) {
    response.type(request.get("content-type") ?? "application/octet-stream").send(request.rawBody ?? "");
  },

  /** Answers after `?ms=` milliseconds. */
  async slow(request, response) {
    await new Promise((resolve) => setTimeout(resolve, Number(request.query["ms"])));
    response.type("text/plain").send("awake");
  },

  /** Sends `first`, and `second` once `/release/<id>` was called; `/state/<id>` tells how far it is. */
  async stream(request, response) {
    const [, verb = "", id = ""] = request.path.split("/");
    if (verb === "release") {
      waiting.get(id)?.();
      response.send("released");
    } else if (verb === "state") {
      response.type("text/plain").send(states.get(id) ?? "unknown");
    } else {
      await streamTwice(id, response);
    }
  },

  /** Fails as a function with a defect does. */
  failing() {
    throw new Error("this function always fails");
  },
};

async function streamTwice(id: string, response: Parameters<HttpFunction>[1]): Promise<void> {
  states.set(id, "streaming");
  response.on("close", () => states.set(id, response.writableFinished ? "complete" : "aborted"));
  const released = new Promise<void>((resolve) => waiting.set(id, resolve));
  response.type("text/event-stream").write("first\n");
  await Promise.race([released, once(response, "close")]);
  response.end("second\n");
}

const ports: Record<string, number> = {};
for (const [name, handler] of Object.entries(functions)) {
  http(name, handler);
  const server = getTestServer(name).listen(0, "127.0.0.1");
  await once(server, "listening");
  ports[name] = (server.address() as AddressInfo).port;
}
process.on("SIGINT", () => {});
process.once("disconnect", () => process.exit(0));
process.send?.(ports);
