import { isIP } from "node:net";
import { checkServerIdentity, rootCertificates } from "node:tls";
import { ChannelCredentials, credentials, type VerifyOptions } from "@grpc/grpc-js";
import type { EndpointAddress, EtcdTls } from "./options.ts";

const NO_SETTINGS: EtcdTls = { verify: true };

/** What an endpoint is called towards itself where it has an address only. It chooses no certificate by that. */
const NAME_OF_ADDRESSES = "etcd";

type Connect = ChannelCredentials["_createSecureConnector"];

/** What gRPC proves itself with to one endpoint, and what it checks there. Throws for material that cannot be used. */
export function etcdCredentials({ url }: EndpointAddress, tls: EtcdTls = NO_SETTINGS): ChannelCredentials {
  const { ca, cert, key, verify, serverName } = tls;
  const expected = serverName ?? hostOf(url);
  const verification: VerifyOptions = verify
    ? { checkServerIdentity: (_name, certificate) => checkServerIdentity(expected, certificate) }
    : { rejectUnauthorized: false };
  const authorities = Buffer.from(ca ?? rootCertificates.join("\n"));
  const made = credentials.createSsl(authorities, bufferOf(key), bufferOf(cert), verification);
  return new NamedCredentials(made, isIP(expected) === 0 ? expected : NAME_OF_ADDRESSES);
}

/**
 * Credentials that say what the server is called. gRPC would take the endpoint's address, where Node.js from 26 on
 * refuses to connect, and its option for another name does not reach the calls that etcd3 makes for a login.
 */
class NamedCredentials extends ChannelCredentials {
  readonly #credentials: ChannelCredentials;
  readonly #name: string;

  constructor(made: ChannelCredentials, name: string) {
    super();
    this.#credentials = made;
    this.#name = name;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(...[target, options, calls]: Parameters<Connect>): ReturnType<Connect> {
    const named = { ...options, "grpc.ssl_target_name_override": this.#name };
    return this.#credentials._createSecureConnector(target, named, calls);
  }
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

function bufferOf(pem: string | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem);
}
