import { isIP } from "node:net";
import type { Usage } from "@fngate/kernel";
import type { CachedName, NameQuestion } from "../names/name-cache.ts";
import { spreadWeights, type Weighted } from "../names/spread-weights.ts";
import { type NodeAddress, parseAddress } from "./parse-nodes.ts";

/** Takes a share in a name's answer. */
export type AcquireName = (question: NameQuestion) => Usage<CachedName>;

/** Nodes that come from one configured node or service. */
interface Source {
  /** Absent for a node whose host is an address. */
  readonly name: Usage<CachedName> | undefined;
  /** The nodes, each group of them with the weight it has between them. */
  nodes(records: CachedName["records"]): readonly Weighted<NodeAddress>[];
}

/**
 * Nodes that names stand for. A name with several addresses is as many nodes, which share its weight; a name that
 * cannot be resolved is none (APISIX: upstream nodes, domain names; it takes one address at random).
 */
export class NamedNodes {
  readonly #sources: readonly Source[];
  readonly #monotonicMs: () => number;
  #freshUntilMs = Number.NEGATIVE_INFINITY;

  constructor(sources: readonly Source[], monotonicMs: () => number) {
    this.#sources = sources;
    this.#monotonicMs = monotonicMs;
  }

  /** Changes with the addresses. */
  get version(): number {
    return this.#sources.reduce((sum, { name }) => sum + (name?.value.version ?? 0), 0);
  }

  /** Sees to it that the addresses are current; a promise, which never rejects, when that takes waiting. */
  prepare(): Promise<unknown> | undefined {
    if (this.#monotonicMs() < this.#freshUntilMs) return undefined;
    const waits: Promise<void>[] = [];
    let freshUntilMs = Number.POSITIVE_INFINITY;
    for (const { name } of this.#sources) {
      const wait = name?.value.prepare();
      if (wait !== undefined) waits.push(wait);
      freshUntilMs = Math.min(freshUntilMs, name?.value.freshUntilMs ?? freshUntilMs);
    }
    this.#freshUntilMs = freshUntilMs;
    return waits.length === 0 ? undefined : Promise.all(waits);
  }

  /** The addresses as they are known now. */
  addresses(): NodeAddress[] {
    const groups = this.#sources.flatMap(({ name, nodes }) => nodes(name?.value.records ?? []));
    const byAddress = new Map(spreadWeights(groups).map((node) => [`${node.host} ${node.port}`, node]));
    return [...byAddress.values()];
  }

  release(): void {
    for (const { name } of this.#sources) name?.release();
  }
}

/** What resolving works with. */
export interface NameAccess {
  readonly acquire: AcquireName;
  readonly monotonicMs: () => number;
}

/** The nodes behind the names among `nodes`; nothing when all are addresses. */
export function resolveNames(nodes: readonly NodeAddress[], access: NameAccess): NamedNodes | undefined {
  if (nodes.every(({ host }) => isIP(host) !== 0)) return undefined;
  return new NamedNodes(
    nodes.map((node) => sourceOf(node, access.acquire)),
    access.monotonicMs,
  );
}

function sourceOf(node: NodeAddress, acquire: AcquireName): Source {
  const { host, weight } = node;
  if (isIP(host) !== 0) return { name: undefined, nodes: () => [{ weight, records: [node] }] };
  return {
    name: acquire({ kind: "host", name: host }),
    nodes: (records) => [{ weight, records: records.map(({ address }) => ({ ...node, host: address, domain: host })) }],
  };
}

/**
 * The instances of a service, `name` or `name:port` (APISIX: discovery by DNS). The port is that of the service's
 * name, else of its SRV record, else the scheme's.
 */
export function resolveService(service: string, defaultPort: number, access: NameAccess): NamedNodes {
  const { host, port } = parseAddress(service);
  const source: Source = {
    name: access.acquire({ kind: "service", name: host }),
    nodes: (records) =>
      records.map((record) => {
        const own = record.port === undefined || record.port === 0 ? defaultPort : record.port;
        const { address, priority, weight } = record;
        return { weight, records: [{ host: address, port: port ?? own, weight, priority }] };
      }),
  };
  return new NamedNodes([source], access.monotonicMs);
}
