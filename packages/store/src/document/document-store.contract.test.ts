import { describeConfigStore } from "../contract.ts";
import type { ConfigStore } from "../index.ts";
import { createDocumentStore, type DocumentStore } from "./index.ts";

const NO_EXPECTATIONS = "whoever replaces the whole document compares nothing";
const ONE_WRITER = "whoever replaces the whole document does that alone";
const NO_EXPIRY = "nothing in a document expires";

describeConfigStore({
  name: "the document store",
  capabilities: { progressMarks: true, severalClients: false },
  skip: {
    "settles writes that are under way at once each by itself": NO_EXPECTATIONS,
    "keeps the order of writes of one key that are under way at once": ONE_WRITER,
    "writes when the expected revision is the current one, and not otherwise": NO_EXPECTATIONS,
    "creates only where nothing is when told so": NO_EXPECTATIONS,
    "deletes only what is expected": NO_EXPECTATIONS,
    "lets exactly one of many racing writers win": NO_EXPECTATIONS,
    "drops an entry when its time is up, with a revision and an event": NO_EXPIRY,
    "keeps an entry that was written again without a time": NO_EXPIRY,
  },
  open: async () => {
    const document = createDocumentStore();
    document.publish(new Map());
    return {
      store: writable(document),
      compact: async () => forget(document),
      passTime: async () => {},
      [Symbol.asyncDispose]: () => document.close(),
    };
  },
});

/** The suite writes single keys: here each write is the whole document with one key different. */
function writable(document: DocumentStore): ConfigStore {
  const content = new Map<string, string>();
  const change = async (edit: () => void, signal: AbortSignal | undefined) => {
    await document.get("", signal === undefined ? {} : { signal });
    edit();
    return document.publish(content);
  };
  return {
    get: (key, options) => document.get(key, options),
    list: (prefix, options) => document.list(prefix, options),
    watch: (prefix, after, options) => document.watch(prefix, after, options),
    close: () => document.close(),
    put: async (key, value, { signal } = {}) => {
      const previous = await document.get(key, signal === undefined ? {} : { signal });
      return { revision: await change(() => content.set(key, value), signal), previous };
    },
    delete: async (key, { signal } = {}) => {
      const deleted = await document.get(key, signal === undefined ? {} : { signal });
      return { revision: await change(() => content.delete(key), signal), deleted };
    },
    deletePrefix: async (prefix, { signal } = {}) => {
      const doomed = [...content.keys()].filter((key) => key.startsWith(prefix));
      await change(() => {
        for (const key of doomed) content.delete(key);
      }, signal);
      return doomed.length;
    },
  };
}

/** Publishes until the history no longer reaches back, and puts the content back as it was. */
async function forget(document: DocumentStore): Promise<void> {
  const { entries } = await document.list("");
  const content = new Map(entries.map(({ key, value }) => [key, value]));
  const filler = Array.from({ length: 10_001 }, (_, index) => [`/filler/${index}`, ""] as const);
  document.publish(new Map([...content, ...filler]));
  document.publish(content);
}
