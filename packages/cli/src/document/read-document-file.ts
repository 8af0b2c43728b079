import { readFile } from "node:fs/promises";
import { GatewayError, messageOf } from "@fngate/kernel";
import type { Environment } from "../config/environment.ts";
import { hasEndMark } from "./end-mark.ts";
import { type DocumentFormat, type ReadDocument, readDocument } from "./read-document.ts";

/** Which file {@link readDocumentFile} reads. */
export interface DocumentFile {
  readonly path: string;
  readonly format: DocumentFormat;
  readonly environment: Environment;
}

/** Reads a standalone file once. Raises `CONFIG_UNREADABLE` when it is not there, broken or without its end mark. */
export async function readDocumentFile({ path, format, environment }: DocumentFile): Promise<ReadDocument> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new GatewayError("CONFIG_UNREADABLE", `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
  if (format === "yaml" && !hasEndMark(text)) {
    throw new GatewayError("CONFIG_UNREADABLE", `missing valid end flag in file ${path}`);
  }
  return readDocument({ text, title: path, format, environment });
}
