import { GatewayError } from "@fngate/kernel";

/**
 * Refuses any configuration. Decision: data-plane/docs/decision-lua.md.
 *
 * @param field dotted path of the Lua
 * @throws GatewayError `PLUGIN_UNSUPPORTED`
 */
export function refuseLua(field: string): never {
  const message = `${field} is Lua, which is not run: write a plugin in TypeScript (fngate plugin new NAME; packages/plugin-kit/docs/tutorial.md)`;
  throw new GatewayError("PLUGIN_UNSUPPORTED", message, { details: { field } });
}
