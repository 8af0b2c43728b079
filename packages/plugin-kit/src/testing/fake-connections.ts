import type { Connections, Endpoint, Target } from "@fngate/kernel";

/** A {@link Connections} that opens nothing and counts what is held. */
export interface FakeConnections extends Connections {
  /** Targets in the order they were asked for. */
  readonly acquired: readonly Target[];
  /** How many endpoints are not yet released. */
  readonly held: number;
  /** Fault verb: the acquisition after `successes` further ones throws. */
  failAfter(successes: number): void;
}

/** Makes a {@link FakeConnections}; its endpoints carry their target and count their release once. */
export function fakeConnections(): FakeConnections {
  const acquired: Target[] = [];
  let held = 0;
  let successesLeft = Number.POSITIVE_INFINITY;
  return {
    acquired,
    get held() {
      return held;
    },
    failAfter(successes) {
      successesLeft = successes;
    },
    acquire(target) {
      if (successesLeft === 0) throw new Error("the fake connections were told to fail");
      successesLeft -= 1;
      acquired.push(target);
      held += 1;
      return endpointOf(target, () => {
        held -= 1;
      });
    },
  };
}

function endpointOf(target: Target, onRelease: () => void): Endpoint {
  let isHeld = true;
  return {
    target,
    release() {
      if (isHeld) onRelease();
      isHeld = false;
    },
  };
}
