import { FakeClock, tempDirectory } from "@fngate/test-kit";
import { describeConfigStore } from "../contract.ts";
import { openEmbeddedStore } from "./index.ts";

/** Large enough for the contract's longest catch-up, small enough to be written past. */
const HISTORY_LIMIT = 5_000;

describeConfigStore({
  name: "the embedded store",
  capabilities: { progressMarks: true, severalClients: true },
  open: async () => {
    const directory = await tempDirectory();
    const path = directory.file("store.db");
    const clock = new FakeClock();
    const store = openEmbeddedStore({ path, clock, historyLimit: HISTORY_LIMIT });
    return {
      store,
      compact: async () => {
        const forgetful = openEmbeddedStore({ path, historyLimit: 0 });
        await forgetful.put("/elsewhere", "the history now begins here");
        await forgetful.close();
      },
      passTime: (ms) => clock.advance(ms),
      openAnother: async () => openEmbeddedStore({ path }),
      [Symbol.asyncDispose]: async () => {
        await store.close();
        await directory[Symbol.asyncDispose]();
      },
    };
  },
});
