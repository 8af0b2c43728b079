import { type EtcdProcess, startEtcd } from "@fngate/test-kit";
import { afterAll, beforeAll } from "vitest";
import { describeConfigStore } from "../contract.ts";
import { openEtcdStore } from "./index.ts";

let etcd: EtcdProcess;

beforeAll(async () => {
  etcd = await startEtcd({ progressNotifyIntervalMs: 100 });
});

afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
});

const open = () => openEtcdStore({ hosts: [etcd.url], timeoutMs: 10_000 });

describeConfigStore({
  name: "the etcd store",
  capabilities: { progressMarks: true, severalClients: true },
  open: async () => {
    const store = open();
    return {
      store,
      compact: () => etcd.compact(),
      passTime: async () => {},
      openAnother: async () => open(),
      [Symbol.asyncDispose]: () => store.close(),
    };
  },
});
