import type { Transform } from "node:stream";
import { messageOf, type Usage } from "@fngate/kernel";
import type {
  PhaseResult,
  PluginDeps,
  PluginInstance,
  Reply,
  RequestContext,
  ResponseContext,
} from "@fngate/plugin-kit";
import { parseDirectives } from "../shared/response-cache/cache-control.ts";
import type { CachedAnswer } from "../shared/response-cache/cache-store.ts";
import { DiskStore } from "../shared/response-cache/disk-store.ts";
import { MemoryStore } from "../shared/response-cache/memory-store.ts";
import { VariantCache } from "../shared/response-cache/variant-cache.ts";
import { gaugeRoom } from "../shared/room-gauges.ts";
import { KeepBody } from "./keep-body.ts";
import { addressOf, isAsked, judge, type Keeping, keepingOf } from "./rules.ts";
import type { ProxyCacheConfig } from "./schema.ts";
import { findZone, type Zone } from "./zones.ts";

/** What became of a request, as `Apisix-Cache-Status` tells. */
type CacheStatus = "MISS" | "HIT" | "BYPASS" | "EXPIRED" | "STALE";

/** What the phases of one request hand on. */
interface Visit {
  readonly status: CacheStatus;
  /** Where the answer is kept; absent: it is not. */
  readonly address: string | undefined;
  /** How the answer is kept and with which fields; absent: it is not. */
  kept?: Keeping & { readonly headers: readonly string[] };
}

const STATUS_FIELD = "Apisix-Cache-Status";
const PURGED: Reply = { kind: "reply", status: 200 };
const NOT_THERE: Reply = { kind: "reply", status: 404 };
const NOT_CACHED: Reply = { kind: "reply", status: 504 };

/** Fields that belong to one connection or one request, not to the answer. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "age",
  STATUS_FIELD.toLowerCase(),
]);

/** Answers requests from what was kept of earlier answers. */
export class AnswerCache implements PluginInstance {
  readonly #config: ProxyCacheConfig;
  readonly #deps: PluginDeps;
  readonly #zone: Zone;
  readonly #cache: Usage<VariantCache>;
  readonly #visits = new WeakMap<RequestContext, Visit>();

  constructor(config: ProxyCacheConfig, deps: PluginDeps) {
    this.#config = config;
    this.#deps = deps;
    const zone = findZone(config, deps.attributes);
    this.#zone = zone;
    this.#cache = acquireCache(zone, deps);
  }

  access(context: RequestContext): PhaseResult | Promise<PhaseResult> {
    const { method } = context.request;
    const address = addressOf(this.#config, context);
    if (method === "PURGE") return this.#purge(address);
    if (!this.#config.cache_method.some((cached) => cached === method)) {
      this.#visits.set(context, { status: this.#isOnDisk ? "BYPASS" : "MISS", address: undefined });
      return undefined;
    }
    const wishes = this.#config.cache_control
      ? parseDirectives(context.request.headers.getAll("cache-control"))
      : undefined;
    const isRefused = wishes !== undefined && (wishes.has("no-store") || wishes.has("no-cache"));
    if (isRefused || isAsked(this.#config.cache_bypass, context)) {
      this.#visits.set(context, { status: "BYPASS", address: this.#isOnDisk ? address : undefined });
      return undefined;
    }
    const found = this.#cache.value.find(address, fieldsOf(context));
    const settle = (answer: CachedAnswer | undefined): PhaseResult => {
      const status = answer === undefined ? "MISS" : judge(answer, wishes, this.#deps.clock.now());
      this.#visits.set(context, { status, address });
      if (answer !== undefined && status === "HIT") return this.#replyWith(answer);
      return wishes?.has("only-if-cached") === true ? NOT_CACHED : undefined;
    };
    return found instanceof Promise ? found.then(settle) : settle(found);
  }

  headerFilter(context: ResponseContext): undefined {
    const visit = this.#visits.get(context);
    if (visit === undefined) return;
    const { headers } = context.response;
    const isKept = visit.address !== undefined && visit.status !== "HIT";
    const rules = { config: this.#config, zone: this.#zone, nowMs: this.#deps.clock.now() };
    const keeping = isKept ? keepingOf(rules, context) : undefined;
    if (this.#config.hide_cache_headers) {
      headers.delete("cache-control");
      headers.delete("expires");
    }
    if (keeping !== undefined) visit.kept = { ...keeping, headers: keptFields(headers.raw) };
    headers.set(STATUS_FIELD, visit.status);
  }

  bodyFilter(context: ResponseContext): Transform | undefined {
    const { address, kept } = this.#visits.get(context) ?? {};
    if (address === undefined || kept === undefined) return undefined;
    const { headers, ttlSeconds, vary } = kept;
    const { status } = context.response;
    const place = { address, fieldOf: fieldsOf(context) };
    return new KeepBody(this.#config.max_resp_body_size, (body) => {
      const answer = { status, headers, body, storedAtMs: this.#deps.clock.now(), ttlSeconds };
      this.#cache.value.keep(place, vary, answer).catch((error: unknown) => {
        this.#deps.logger.warn({ reason: messageOf(error) }, "an answer could not be kept");
      });
    });
  }

  dispose(): void {
    this.#cache.release();
  }

  get #isOnDisk(): boolean {
    return this.#zone.directory !== undefined;
  }

  async #purge(address: string): Promise<Reply> {
    return (await this.#cache.value.purge(address)) ? PURGED : NOT_THERE;
  }

  #replyWith({ body, headers, status, storedAtMs }: CachedAnswer): Reply {
    const age = Math.floor((this.#deps.clock.now() - storedAtMs) / 1000);
    return { kind: "reply", status, headers: this.#isOnDisk ? headers : [...headers, "Age", String(age)], body };
  }
}

/** A copy of the fields that are kept; plugins after this one go on changing the answer's own. */
function keptFields(raw: readonly string[]): string[] {
  return raw.filter((_, index) => !NOT_KEPT.has((raw[index - (index % 2)] as string).toLowerCase()));
}

/** The request's fields, for answers that vary by them; as they are when the answer is asked for. */
function fieldsOf({ request }: RequestContext): (name: string) => string | undefined {
  return (name) => (request.headers.has(name) ? request.headers.getAll(name).join(", ") : undefined);
}

/** The answers of a zone, which all configurations that name it share. */
function acquireCache(zone: Zone, { logger, metrics, shared }: PluginDeps): Usage<VariantCache> {
  const { directory, maxBytes, name } = zone;
  const usage = shared.acquire(
    `zone ${name}`,
    () => {
      if (directory !== undefined) return { cache: new VariantCache(new DiskStore({ directory, maxBytes, logger })) };
      const room = gaugeRoom(metrics, name, maxBytes);
      return { room, cache: new VariantCache(new MemoryStore(maxBytes, room.tell)) };
    },
    ({ room }) => room?.remove(),
  );
  return { value: usage.value.cache, release: () => usage.release() };
}
