import { BoundedMap } from "../shared/bounded-map.ts";

/** When a circuit opens and closes. */
export interface CircuitRule {
  readonly failures: number;
  readonly successes: number;
  readonly maxOpenSeconds: number;
}

interface Circuit {
  failures: number;
  successes: number;
  /** Second at which failures last reached a multiple of the threshold. */
  openedAt: number | undefined;
}

/** Addresses that failed lately; beyond this many, those that were asked for longest ago are forgotten. */
const MAX_CIRCUITS = 10_000;

/** Failures and successes by address (APISIX: api-breaker); an address without failures costs nothing. */
export class Circuits {
  readonly #circuits = new BoundedMap<string, Circuit>(MAX_CIRCUITS);

  /** Whether an address is not asked at present. */
  isOpen(address: string, rule: CircuitRule, nowSeconds: number): boolean {
    const circuit = this.#circuits.get(address);
    if (circuit?.openedAt === undefined) return false;
    const times = Math.max(Math.floor(circuit.failures / rule.failures), 1);
    return circuit.openedAt + Math.min(2 ** times, rule.maxOpenSeconds) >= nowSeconds;
  }

  countFailure(address: string, rule: CircuitRule, nowSeconds: number): void {
    const circuit = this.#circuits.get(address) ?? { failures: 0, successes: 0, openedAt: undefined };
    circuit.failures += 1;
    circuit.successes = 0;
    if (circuit.failures % rule.failures === 0) circuit.openedAt = nowSeconds;
    this.#circuits.set(address, circuit);
  }

  countSuccess(address: string, rule: CircuitRule): void {
    const circuit = this.#circuits.get(address);
    if (circuit === undefined) return;
    circuit.successes += 1;
    if (circuit.successes >= rule.successes) this.#circuits.delete(address);
  }
}
