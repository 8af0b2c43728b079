/** A TCP address; port 0 takes any free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK = "127.0.0.1";

/** The address that a section of `config.yaml` names; what it leaves out is loopback and `port`. */
export function addressOf(
  section: { readonly ip?: string | undefined; readonly port?: number | undefined } = {},
  port: number,
): Address {
  return { host: section.ip ?? LOOPBACK, port: section.port ?? port };
}
