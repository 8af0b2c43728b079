/** The key of APISIX's documentation, good for loopback only. */
export const ADMIN_KEY = "edd1c9f034335f136f87ad84b625c8f1";

/** An answer of the Admin API. */
export interface AdminAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; `undefined` when it is no JSON. */
  readonly body: unknown;
}

/** Talks to `/apisix/admin` of one control plane with the administrator's key. */
export class AdminClient {
  readonly #base: string;

  constructor(port: number) {
    this.#base = `http://127.0.0.1:${port}/apisix/admin`;
  }

  /** Sends a request whatever comes back. */
  async send(method: string, path: string, body?: unknown): Promise<AdminAnswer> {
    const response = await fetch(this.#base + path, {
      method,
      headers: { "x-api-key": ADMIN_KEY, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parseJson(text) };
  }

  /** Writes an object; throws with the answer's text when it is refused. */
  async put(path: string, body: unknown): Promise<AdminAnswer> {
    return expectSuccess(await this.send("PUT", path, body), `PUT ${path}`);
  }

  /** Deletes an object; throws with the answer's text when it is refused. */
  async delete(path: string): Promise<AdminAnswer> {
    return expectSuccess(await this.send("DELETE", path), `DELETE ${path}`);
  }
}

function expectSuccess(answer: AdminAnswer, what: string): AdminAnswer {
  if (answer.status >= 300) throw new Error(`${what} was answered ${answer.status}: ${answer.text}`);
  return answer;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
