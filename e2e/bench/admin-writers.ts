import { Etcd3 } from "etcd3";
import { Pool } from "undici";

/** Key of the control planes under measurement. */
export const ADMIN_KEY = "a-key";

/** Something that stores routes. */
export interface Writer extends AsyncDisposable {
  write(id: string, route: Readonly<Record<string, unknown>>): Promise<void>;
}

/** The Admin API of one control plane. */
export interface AdminWriter extends Writer {
  /** Reads a page of 50 routes. */
  page(number: number): Promise<{ readonly total: number }>;
}

/** Puts of the client library alone: what a store could do at best from this language. */
export function openRawWriter(url: string): Writer {
  const client = new Etcd3({ hosts: [url] });
  return {
    write: async (id, route) => {
      await client.put(`/raw/routes/${id}`).value(JSON.stringify({ ...route, id }));
    },
    [Symbol.asyncDispose]: async () => client.close(),
  };
}

/** PUTs through the Admin API over kept connections, by a client that costs the machine little. */
export function openAdminWriter(port: number): AdminWriter {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 64 });
  const headers = { "X-API-KEY": ADMIN_KEY, "Content-Type": "application/json" };
  const send = async (method: "GET" | "PUT", path: string, body?: string): Promise<string> => {
    const answer = await pool.request({ method, path: `/apisix/admin${path}`, headers, body: body ?? null });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${path}: ${text}`);
    return text;
  };
  return {
    write: async (id, route) => {
      await send("PUT", `/routes/${id}`, JSON.stringify(route));
    },
    page: async (number) => JSON.parse(await send("GET", `/routes?page=${number}&page_size=50`)),
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

/** A route that does what most do: its function behind a path, with a secret. */
export function routeOf(index: number): Readonly<Record<string, unknown>> {
  const function_uri = `http://functions-${index % 1000}.example.com:3233/default/function-${index}`;
  const conf = { function_uri, timeout: 3000, authorization: { service_token: `user:${index}` } };
  return { uri: `/team-${index % 100}/service-${index}/*`, name: `route-${index}`, plugins: { openfunction: conf } };
}
