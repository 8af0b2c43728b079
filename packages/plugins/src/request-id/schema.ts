import { z } from "zod";

const LETTERS_AND_DIGITS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** Configuration of the plugin on a route, service or rule (APISIX: request-id). */
export const requestIdSchema = z.looseObject({
  header_name: z.string().min(1).default("X-Request-Id").describe("Field that carries the identifier."),
  include_in_response: z.boolean().default(true).describe("Whether the answer carries it too."),
  algorithm: z
    .enum(["uuid", "nanoid", "range_id", "ksuid", "uuidv7"])
    .default("uuid")
    .describe("How identifiers are made: `uuid` (version 4), `uuidv7`, `nanoid`, `ksuid`, or `range_id`."),
  range_id: z
    .looseObject({
      length: z.int().min(6).default(16).describe("Characters of a `range_id`."),
      char_set: z.string().min(6).default(LETTERS_AND_DIGITS).describe("Characters that a `range_id` is made of."),
    })
    .default({ length: 16, char_set: LETTERS_AND_DIGITS })
    .describe("What identifiers of `range_id` look like."),
});

/** {@link requestIdSchema} with defaults filled in. */
export type RequestIdConfig = z.output<typeof requestIdSchema>;
