import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { CompiledSsl } from "../compile/snapshot.ts";
import { countIntermediates } from "./certificate-chain.ts";
import { distinguishedName } from "./distinguished-name.ts";
import { verifyReason } from "./verify-reason.ts";

/** What the handshake found out about the client's certificate, in nginx's words: `FAILED:` is followed by why. */
export type ClientVerify = "NONE" | "SUCCESS" | `FAILED:${string}`;

/** The TLS side of a connection. */
export class ClientTls {
  /** Name that the client asked for, or the one that stands in for none; lower case. */
  readonly serverName: string;
  /** The object whose certificate was shown. */
  readonly ssl: CompiledSsl;
  readonly verify: ClientVerify;
  // Read now: of a closed connection, as the access log sees it, nothing can be read any more.
  readonly certificate: X509Certificate | undefined;
  readonly protocol: string | undefined;
  readonly cipher: string;
  readonly sentName: string | undefined;
  readonly alpnProtocol: string | undefined;
  readonly isResumed: boolean;

  constructor(socket: TLSSocket, seen: { readonly serverName: string; readonly ssl: CompiledSsl }) {
    this.serverName = seen.serverName;
    this.ssl = seen.ssl;
    this.certificate = seen.ssl.client && socket.getPeerX509Certificate();
    this.verify = verifyOf(socket, seen.ssl);
    this.protocol = socket.getProtocol() ?? undefined;
    this.cipher = socket.getCipher().name;
    this.sentName = typeof socket.servername === "string" ? socket.servername : undefined;
    this.alpnProtocol = socket.alpnProtocol || undefined;
    this.isResumed = socket.isSessionReused();
  }

  /** A variable below `ssl_`, such as `protocol`; absent when it is unknown or there is nothing to tell. */
  variable(name: string): string | undefined {
    return Object.hasOwn(READERS, name) ? READERS[name]?.(this) : undefined;
  }
}

type Reader = (tls: ClientTls) => string | undefined;

type CertificateReader = (certificate: X509Certificate) => string;

const DAY_MS = 86_400_000;

const READERS: Readonly<Record<string, Reader>> = {
  protocol: ({ protocol }) => protocol,
  cipher: ({ cipher }) => cipher,
  server_name: ({ sentName }) => sentName,
  alpn_protocol: ({ alpnProtocol }) => alpnProtocol,
  session_reused: ({ isResumed }) => (isResumed ? "r" : "."),
  client_verify: ({ verify }) => verify,
  client_s_dn: ofCertificate(({ subject }) => distinguishedName(subject)),
  client_i_dn: ofCertificate(({ issuer }) => distinguishedName(issuer)),
  client_serial: ofCertificate(({ serialNumber }) => serialNumber),
  client_fingerprint: ofCertificate(({ fingerprint }) => fingerprint.replaceAll(":", "").toLowerCase()),
  client_raw_cert: ofCertificate((certificate) => certificate.toString()),
  client_escaped_cert: ofCertificate((certificate) => encodeURIComponent(certificate.toString())),
  client_v_start: ofCertificate(({ validFrom }) => validFrom),
  client_v_end: ofCertificate(({ validTo }) => validTo),
  client_v_remain: ofCertificate(({ validTo }) => String(Math.floor((Date.parse(validTo) - Date.now()) / DAY_MS))),
};

/** Whether there is a variable of that name below `ssl_`. */
export function isTlsVariable(name: string): boolean {
  return Object.hasOwn(READERS, name);
}

function ofCertificate(read: CertificateReader): Reader {
  return ({ certificate }) => certificate && read(certificate);
}

function verifyOf(socket: TLSSocket, { client }: CompiledSsl): ClientVerify {
  const certificate = client && socket.getPeerX509Certificate();
  if (client === undefined || certificate === undefined) return "NONE";
  if (!socket.authorized) return `FAILED:${verifyReason(String(socket.authorizationError))}`;
  const count = countIntermediates(certificate, client.authorities);
  return count > client.maxDepth ? "FAILED:certificate chain too long" : "SUCCESS";
}
