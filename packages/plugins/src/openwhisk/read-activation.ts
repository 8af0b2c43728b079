import type { Reply } from "@fngate/plugin-kit";
import { isOwnField, safeFieldValue, toByteString } from "../shared/wire-text.ts";

/**
 * The client's answer out of OpenWhisk's: an object may say status, fields and body, what it does not say is OpenWhisk's
 * own (APISIX: openwhisk). Nothing when the answer is no JSON.
 *
 * @param status OpenWhisk's
 * @param bytes OpenWhisk's body
 */
export function readActivation(status: number, bytes: Uint8Array): Reply | undefined {
  const result = parse(bytes);
  if (result === undefined) return undefined;
  const { body, headers, statusCode } = objectOf(result.value);
  return {
    kind: "reply",
    status: isStatus(statusCode) ? statusCode : status,
    headers: fieldsOf(headers),
    body: body === undefined || body === null || body === false ? bytes : textOf(body),
  };
}

function parse(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(Buffer.from(bytes).toString("utf8")) };
  } catch {
    return undefined;
  }
}

/** The members of an object; none of anything else. */
function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.assign(Object.create(null), value);
}

function isStatus(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 200 && value <= 599;
}

/** Flat fields. Those that frame the answer are the gateway's; names that cannot be sent are left out. */
function fieldsOf(headers: unknown): string[] {
  return Object.entries(objectOf(headers)).flatMap(([name, value]) => {
    if (!isOwnField(name)) return [];
    return [value].flat().flatMap((one) => (isScalar(one) ? [name, safeFieldValue(toByteString(String(one)))] : []));
  });
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** An object or a list as JSON and a line feed, everything else as it is. */
function textOf(body: unknown): string {
  return typeof body === "object" ? `${JSON.stringify(body)}\n` : String(body);
}
