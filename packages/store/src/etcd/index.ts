export { openEtcdStore } from "./etcd-store.ts";
export type { EtcdStoreOptions, EtcdTls } from "./options.ts";
