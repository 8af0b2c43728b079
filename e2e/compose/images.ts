import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fail, output, print, run, succeeds } from "./shell.ts";

const NODE_IMAGE = "node:24-bookworm-slim";
const DEBIAN_IMAGE = "debian:bookworm-slim";
const LOCAL_BASE = "fngate-e2e-base";
const CERTIFICATES = "etc/ssl/certs/ca-certificates.crt";

/** Base images of the build, as variables of `build.yaml`: the official ones, or one that is made here. */
export function findBaseImages(): Readonly<Record<string, string>> {
  if ([NODE_IMAGE, DEBIAN_IMAGE].every(isAvailable)) return { NODE_IMAGE, DEBIAN_IMAGE };
  if (!succeeds(["docker", "image", "inspect", LOCAL_BASE])) makeBase();
  return { NODE_IMAGE: LOCAL_BASE, DEBIAN_IMAGE: LOCAL_BASE };
}

function isAvailable(image: string): boolean {
  return succeeds(["docker", "image", "inspect", image]) || succeeds(["docker", "pull", "--quiet", image], 120_000);
}

/** Debian by debootstrap plus the Node.js that runs this script and the machine's npm: stands in for the official images. */
function makeBase(): void {
  if (!succeeds(["debootstrap", "--version"]))
    fail("no container registry is reached and debootstrap is not installed");
  print("no container registry is reached: making a base image with debootstrap");
  const directory = mkdtempSync(join(tmpdir(), "fngate-base-"));
  try {
    run(["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", directory]);
    addNode(directory);
    addCertificates(directory);
    const archive = `${directory}.tar`;
    run(["tar", "-C", directory, "-cf", archive, "."]);
    const path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const certificates = `ENV NODE_EXTRA_CA_CERTS=/${CERTIFICATES}`;
    run(["docker", "import", "--change", path, "--change", certificates, archive, LOCAL_BASE]);
    rmSync(archive);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function addNode(directory: string): void {
  const bin = join(directory, "usr/local/bin");
  const modules = join(directory, "usr/local/lib/node_modules");
  mkdirSync(modules, { recursive: true });
  copyFileSync(process.execPath, join(bin, "node"));
  chmodSync(join(bin, "node"), 0o755);
  const npm = dirname(dirname(realpathSync(output(["sh", "-c", "command -v npm"]))));
  cpSync(npm, join(modules, "npm"), { recursive: true, dereference: true });
  for (const name of ["npm", "npx"]) symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(bin, name));
}

/** The certificates this machine trusts, where its registries are reached through a private authority. */
function addCertificates(directory: string): void {
  const bundle = `/${CERTIFICATES}`;
  // biome-ignore lint/style/noProcessEnv: Node's own variable for additional authorities
  const extra = process.env["NODE_EXTRA_CA_CERTS"] ?? bundle;
  const sources = new Set([bundle, extra].filter(existsSync).map((path) => realpathSync(path)));
  const texts = [...sources].map((path) => readFileSync(path, "latin1"));
  if (texts.length > 0) writeFileSync(join(directory, CERTIFICATES), texts.join("\n"), "latin1");
}
