import { join } from "node:path";
import type { ConfigStore } from "@fngate/store";
import type { ComposeDeps } from "./compose.ts";
import type { EtcdSettings } from "./config/settings.ts";
import { readPem } from "./read-pem.ts";

type StoreDeps = Pick<ComposeDeps, "logger" | "clock" | "environment">;

/** The store in the data directory. */
export async function openEmbedded(
  dataDir: string,
  readOnly: boolean,
  { logger, clock }: StoreDeps,
): Promise<ConfigStore> {
  const { openEmbeddedStore } = await import("@fngate/store/embedded");
  return openEmbeddedStore({ path: join(dataDir, "store.sqlite"), readOnly, logger, clock });
}

interface StandaloneFile {
  readonly path: string;
  readonly format: "yaml" | "json";
  readonly prefix: string;
}

/** The store that is one document, in a file that somebody else writes. */
export async function openFile(file: StandaloneFile, { logger, clock, environment }: StoreDeps): Promise<ConfigStore> {
  const [{ openDocumentFile }, { createDocumentParser }] = await Promise.all([
    import("@fngate/store/document"),
    import("./document/document-parser.ts"),
  ]);
  const parse = createDocumentParser({ ...file, title: file.path, environment, logger });
  return openDocumentFile({ path: file.path, parse, logger, clock });
}

interface EtcdAccess extends EtcdSettings {
  /** Authorities (PEM) for a server that no authority of its own is configured for. */
  readonly trusted: string | undefined;
}

/** The store in an etcd cluster. */
export async function openEtcd(settings: EtcdAccess, { logger, clock }: StoreDeps): Promise<ConfigStore> {
  const { openEtcdStore } = await import("@fngate/store/etcd");
  const { hosts, timeoutMs, user, password, tls } = settings;
  const [ownCa, cert, key] = await Promise.all([
    readPem(tls.ca, "deployment.etcd.tls.ca"),
    readPem(tls.cert, "deployment.etcd.tls.cert"),
    readPem(tls.key, "deployment.etcd.tls.key"),
  ]);
  const ca = ownCa ?? settings.trusted;
  const { verify, serverName } = tls;
  return openEtcdStore({
    hosts,
    timeoutMs,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    tls: { verify, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...(serverName && { serverName }) },
    logger,
    clock,
  });
}
