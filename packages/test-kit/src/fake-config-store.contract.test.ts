import { describeConfigStore } from "@fngate/store/contract";
import { FakeClock } from "./fake-clock.ts";
import { FakeConfigStore } from "./fake-config-store.ts";

describeConfigStore({
  name: "the fake store",
  capabilities: { progressMarks: true, severalClients: false },
  open: async () => {
    const clock = new FakeClock();
    const store = new FakeConfigStore({ clock });
    return {
      store,
      compact: async () => store.compact(),
      passTime: (ms) => clock.advance(ms),
      [Symbol.asyncDispose]: () => store.close(),
    };
  },
});
