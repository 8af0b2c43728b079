import { request as httpRequest, type IncomingHttpHeaders } from "node:http";

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** Fields of a request by name. */
export type SentHeaders = Readonly<Record<string, string | string[]>>;

/** What a request is made of. */
export interface SentRequest {
  readonly method?: string;
  /** A list sends a field of that name for each of its values. */
  readonly headers?: SentHeaders;
  readonly body?: string;
}

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
