import type { RequestContext } from "@fngate/plugin-kit";

/** What a request says about its signature; whatever it leaves out is absent. */
export interface PresentedSignature {
  readonly keyId: string | undefined;
  readonly algorithm: string | undefined;
  /** Base64. */
  readonly signature: string | undefined;
  /** Names of what was signed, in order. */
  readonly headers: readonly string[];
}

/** Reads the field `Authorization`; the text is why it cannot be read. */
export function readSignature({ request }: RequestContext): PresentedSignature | string {
  const value = request.headers.get("authorization");
  if (value === undefined) return "missing Authorization header";
  if (!value.startsWith("Signature")) return "Authorization header does not start with 'Signature'";
  const parameters = new Map<string, string>();
  for (const [, name = "", text = ""] of value.matchAll(/\b(\w+)="([^"]*)"/g)) parameters.set(name, text);
  return {
    keyId: parameters.get("keyId"),
    algorithm: parameters.get("algorithm"),
    signature: parameters.get("signature"),
    headers: (parameters.get("headers") ?? "").split(" ").filter((name) => name !== ""),
  };
}
