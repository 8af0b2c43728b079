import { z } from "zod";
import { NGINX_SIZE, NGINX_TIME } from "./nginx-units.ts";

/** APISIX's key for `apisix.node_listen` entries and other addresses; port 0 takes any free port. */
export const port = () => z.int().min(0).max(65_535);
/** Addresses and CIDR ranges. */
export const addressRanges = () => z.array(z.string().min(1));

/** nginx's switch, or a boolean. */
export const onOff = () => z.union([z.boolean(), z.enum(["on", "off"])], { error: "expected on or off" });

/** A time as nginx writes it; a number counts seconds. */
export const nginxTime = () =>
  z.union([z.number().nonnegative(), z.string().regex(NGINX_TIME, "expected a time such as 60s or 500ms")], {
    error: "expected a time such as 60s, 500ms or a number of seconds",
  });

/** A size as nginx writes it; a number counts bytes. */
export const nginxSize = () =>
  z.union([z.int().nonnegative(), z.string().regex(NGINX_SIZE, "expected a size such as 512, 8k or 10m")], {
    error: "expected a size such as 512, 8k or 10m",
  });
