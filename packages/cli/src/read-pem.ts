import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { GatewayError, messageOf } from "@fngate/kernel";

/** Reads a PEM file that the configuration names under `key`. Raises `CONFIG_INVALID`, naming both, when it cannot. */
export async function readPem(path: string, key: string): Promise<string>;
export async function readPem(path: string | undefined, key: string): Promise<string | undefined>;
export async function readPem(path: string | undefined, key: string): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    const text = await readFile(path, "utf8");
    // A file of something else would fail only with the first call, and look like a fault of the other side.
    if (text.includes("BEGIN CERTIFICATE")) new X509Certificate(text);
    else if (!text.includes("-----BEGIN ")) throw new Error("it holds no PEM block");
    return text;
  } catch (cause) {
    throw new GatewayError("CONFIG_INVALID", `cannot read ${path} (${key}): ${messageOf(cause)}`, { cause });
  }
}
