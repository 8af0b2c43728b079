import type { HeaderList } from "@fngate/kernel";
import type { Consumer } from "@fngate/plugin-kit";

/**
 * Tells whoever is called who calls; what the client sent under these names never goes on (APISIX plugins,
 * authentication flow).
 */
export function markConsumer(headers: HeaderList, consumer: Consumer): void {
  setOrDelete(headers, "X-Consumer-Username", consumer.name);
  setOrDelete(headers, "X-Credential-Identifier", consumer.credentialId);
  setOrDelete(headers, "X-Consumer-Custom-ID", consumer.labels["custom_id"]);
}

function setOrDelete(headers: HeaderList, name: string, value: string | undefined): void {
  if (value === undefined) headers.delete(name.toLowerCase());
  else headers.set(name, value);
}
