import { resolve } from "node:path";
import { GatewayError } from "@fngate/kernel";
import type { CommandIo } from "../command-io.ts";
import type { Flags } from "../config/load.ts";
import { readPem } from "../read-pem.ts";
import { AdminConnection } from "./admin-connection.ts";

/** Where the Admin API listens unless configured otherwise. */
const DEFAULT_URL = "http://127.0.0.1:9180";

/** The key of APISIX's documentation, which the quick start uses; good on loopback only, so it is worth a try there. */
const PUBLISHED_KEY = "edd1c9f034335f136f87ad84b625c8f1";

/** Runs a command with the connection that its flags describe, and closes it. Raises `CONFIG_INVALID` for a bad URL. */
export async function withConnection<TResult>(
  flags: Flags,
  io: CommandIo,
  work: (connection: AdminConnection) => Promise<TResult>,
): Promise<TResult> {
  const url = parseUrl(textOf(flags, "admin") ?? DEFAULT_URL);
  const file = (name: string) => {
    const path = textOf(flags, name);
    return readPem(path === undefined ? undefined : resolve(io.workingDirectory, path), `--${name}`);
  };
  const [ca, cert, certKey] = await Promise.all([file("ca"), file("cert"), file("cert-key")]);
  const key = textOf(flags, "key") ?? io.environment["FNGATE_ADMIN_KEY"] ?? PUBLISHED_KEY;
  const connection = new AdminConnection({ url, key, ca, cert, certKey });
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new GatewayError("CONFIG_INVALID", `--admin: expected http://host:port or https://host:port, not "${text}"`);
}

function textOf(flags: Flags, name: string): string | undefined {
  const value = flags[name];
  return typeof value === "string" ? value : undefined;
}
