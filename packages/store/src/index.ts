export type {
  CallOptions,
  ConfigStore,
  DeleteOptions,
  DeleteResult,
  Expectation,
  Listing,
  PutOptions,
  PutResult,
  StoreEntry,
  StoreEvent,
  WatchBatch,
  WatchOptions,
} from "./config-store.ts";
export { compareRevisions, parseRevision, type Revision } from "./revision.ts";
