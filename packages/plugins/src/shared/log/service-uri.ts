import { z } from "zod";

/** An address of a service as APISIX's schemas take it: scheme, host, optional port, then anything. */
export const serviceUri = () => z.string().regex(/^[^/]+:\/\/([\da-zA-Z.-]+|\[[\da-fA-F:]+\])(:\d+)?/);
