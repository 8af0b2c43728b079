import type { PluginDeps, PluginInstance } from "@fngate/plugin-kit";
import { forwardToFunction } from "../shared/forward-to-function.ts";
import { toByteString } from "../shared/wire-text.ts";
import type { AzureFunctionsMetadata } from "./metadata.ts";
import type { AzureFunctionsConfig } from "./schema.ts";

const KEY = "x-functions-key";
const CLIENT = "x-functions-clientid";

const NONE: readonly string[] = [];

/**
 * Sets up the calls of one configuration. A client that brings a key or names itself keeps its own; else the
 * configuration's are sent, or, when that has none, those of the metadata, empty ones included.
 */
export function invokeAzureFunction(
  config: AzureFunctionsConfig,
  deps: PluginDeps<unknown, AzureFunctionsMetadata>,
): PluginInstance {
  const { authorization } = config;
  const own = authorization && fieldsOf(authorization.apikey, authorization.clientid);
  const masters = masterFieldsOf(deps);
  return forwardToFunction(
    {
      config,
      credentials: ({ headers }) => (headers.has(KEY) || headers.has(CLIENT) ? NONE : (own ?? masters())),
    },
    deps,
  );
}

/** The fields of the metadata as it is now, made again only when it changed. */
function masterFieldsOf({ metadata }: PluginDeps<unknown, AzureFunctionsMetadata>): () => readonly string[] {
  let known: AzureFunctionsMetadata | undefined;
  let fields = NONE;
  return () => {
    const { current } = metadata;
    if (current !== known) {
      known = current;
      fields = current === undefined ? NONE : fieldsOf(current.master_apikey, current.master_clientid);
    }
    return fields;
  };
}

function fieldsOf(key: string | undefined, client: string | undefined): readonly string[] {
  const fields: string[] = [];
  if (key !== undefined) fields.push(KEY, toByteString(key));
  if (client !== undefined) fields.push(CLIENT, toByteString(client));
  return fields;
}
