import { z } from "zod";

/** Configuration of the plugin: there is nothing to configure (APISIX: node-status). */
export const nodeStatusSchema = z.looseObject({});
