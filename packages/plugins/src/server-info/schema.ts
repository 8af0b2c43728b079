import { z } from "zod";

/** Configuration of the plugin: there is nothing to configure (APISIX: server-info). */
export const serverInfoSchema = z.looseObject({});
