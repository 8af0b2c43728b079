import { GatewayError, type Logger } from "@fngate/kernel";
import { keyOf } from "@fngate/schema";
import type { DocumentParser } from "@fngate/store/document";
import type { Environment } from "../config/environment.ts";
import { hasEndMark } from "./end-mark.ts";
import { type DocumentFormat, readDocument } from "./read-document.ts";

/** What {@link createDocumentParser} needs to know. */
export interface DocumentParserOptions {
  /** The file's name in errors and warnings. */
  readonly title: string;
  readonly format: DocumentFormat;
  readonly environment: Environment;
  /** Key prefix of the store. */
  readonly prefix: string;
  readonly logger: Logger;
}

/** Makes the reader of a standalone file: its objects under their store keys; warnings go to the log. */
export function createDocumentParser(options: DocumentParserOptions): DocumentParser {
  const { environment, format, logger, prefix, title } = options;
  return (text) => {
    if (format === "yaml" && !hasEndMark(text)) {
      const details = { isUnfinished: true };
      throw new GatewayError("CONFIG_UNREADABLE", `missing valid end flag in file ${title}`, { details });
    }
    const { items, warnings } = readDocument({ text, title, format, environment });
    for (const warning of warnings) logger.warn({ file: title }, warning);
    return new Map(items.map(({ definition, id, value }) => [keyOf(prefix, definition, id), JSON.stringify(value)]));
  };
}
