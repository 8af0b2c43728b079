import { request as httpRequest } from "node:http";
import type { Answer, SentRequest } from "@fngate/plugin-kit/testing";

/** Sends one request on a connection of its own. */
export function sendRequest(port: number, target: string, options: SentRequest = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { body, headers, method } = options;
    const sent = httpRequest({ host: "127.0.0.1", port, path: target, method, headers: { ...headers }, agent: false });
    sent.on("error", reject);
    sent.on("response", (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          reason: answer.statusMessage ?? "",
          headers: answer.headers,
          rawHeaders: answer.rawHeaders,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.end(body);
  });
}
