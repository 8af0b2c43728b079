import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

/** A JSON call of a server under test. */
export interface JsonRequest {
  /** Without a body it is a GET, else a POST. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string } | undefined;
}

/** Calls a URL and parses the JSON answer; throws with status and body when the answer is no success. */
export async function requestJson(url: string, { body, headers, tls }: JsonRequest = {}): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const method = body === undefined ? "GET" : "POST";
  // Certificates may be made for any name, while servers under test are called by address.
  const checkServerIdentity = () => undefined;
  const options = { method, headers: { ...headers }, agent: false, checkServerIdentity, ...tls };
  const request = (url.startsWith("https:") ? requestHttps : requestHttp)(url, options, (response) => {
    resolve(readJson(url, response));
  });
  request.on("error", reject);
  request.end(body === undefined ? undefined : JSON.stringify(body));
  return await promise;
}

async function readJson(url: string, response: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  if (response.statusCode !== 200) throw new Error(`${url} answered ${response.statusCode}: ${text}`);
  return JSON.parse(text);
}
