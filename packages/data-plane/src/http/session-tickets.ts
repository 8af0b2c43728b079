import { createHash, hkdfSync, randomBytes } from "node:crypto";
import type { CompiledSsl } from "../compile/snapshot.ts";
import type { TlsSettings } from "../options.ts";

/** TLS settings whose ticket keys come from somewhere. */
export interface TicketedTlsSettings extends TlsSettings {
  readonly ticketSecret: Uint8Array;
}

/** What a TLS server needs to take back its tickets. */
export interface TicketSettings {
  /** Name, HMAC and AES key. */
  readonly ticketKeys: Buffer;
  /** Sessions of another context are not taken. */
  readonly sessionIdContext: string;
}

const TICKET_SECRET_BYTES = 32;

/** Settings with a secret of this process's own, unless they have one. */
export function withTicketSecret(settings: TlsSettings = {}): TicketedTlsSettings {
  return { ticketSecret: randomBytes(TICKET_SECRET_BYTES), ...settings };
}

const TICKET_KEYS_BYTES = 48;

/**
 * The keys of one certificate object: the same in every process that has the secret, others for every object and with
 * other certificates, so that no session passes from one to another.
 */
export function ticketSettings(secret: Uint8Array, { id, pairs }: CompiledSsl): TicketSettings {
  const identity = createHash("sha256").update(JSON.stringify([id, ...pairs.map(({ cert }) => cert)]));
  const context = identity.digest("hex").slice(0, 32);
  const keys = hkdfSync("sha256", secret, "", `session tickets ${context}`, TICKET_KEYS_BYTES);
  return { ticketKeys: Buffer.from(keys), sessionIdContext: context };
}
