export { type DocumentFileOptions, type DocumentParser, openDocumentFile } from "./document-file.ts";
export { createDocumentStore, type DocumentStore, type DocumentValues } from "./document-store.ts";
