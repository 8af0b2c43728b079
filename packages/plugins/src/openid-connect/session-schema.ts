import { z } from "zod";

const seconds = (text: string) => z.int().optional().describe(text);

/** A Redis as APISIX's sessions use it. */
const redis = z.looseObject({
  host: z.string().min(2).default("127.0.0.1"),
  port: z.int().min(1).default(6379),
  username: z.string().min(1).optional(),
  password: z.string().optional(),
  database: z.int().min(0).default(0),
  prefix: z.string().default("sessions"),
  ssl: z.boolean().default(false),
  ssl_verify: z.boolean().default(true),
  server_name: z.string().optional(),
  connect_timeout: z.int().min(1).default(1000),
  send_timeout: z.int().min(1).default(1000),
  read_timeout: z.int().min(1).default(1000),
  keepalive_timeout: z.int().min(1000).default(10_000),
});

/** How sessions are kept (APISIX: openid-connect, `session`). */
export const sessionSchema = z
  .strictObject({
    secret: z.string().min(16).describe("Secret that sessions are encrypted with."),
    cookie_name: z.string().optional().describe("Name of the cookie; absent: `session`."),
    cookie_path: z.string().optional().describe("Path that the cookie is for; absent: `/`."),
    cookie_domain: z.string().optional().describe("Domain that the cookie is for; absent: the host itself."),
    cookie_secure: z.boolean().optional().describe("Whether it is for HTTPS only; absent: as the request came."),
    cookie_http_only: z.boolean().optional().describe("Whether scripts do not see it; absent: they do not."),
    cookie_same_site: z
      .enum(["Strict", "Lax", "None", "Default"])
      .optional()
      .describe("With which requests of other sites it is sent; absent: `Lax`."),
    idling_timeout: seconds("Seconds without a request after which a session ends; absent: 900, 0: never."),
    rolling_timeout: seconds(
      "Seconds after which a session ends that is not used in their last quarter; absent: 3600, 0: never.",
    ),
    absolute_timeout: seconds("Seconds after which a session ends; absent: 86400, 0: never."),
    cookie: z
      .looseObject({ lifetime: seconds("`absolute_timeout`, where that is absent.") })
      .optional()
      .describe("The older form."),
    storage: z.enum(["cookie", "redis"]).default("cookie").describe("Taken; sessions are in the cookie all the same."),
    redis: redis.optional().describe("Taken and not needed."),
  })
  .superRefine(({ redis: server, storage }, context) => {
    if (storage !== "redis" || server !== undefined) return;
    context.addIssue({ code: "custom", message: "then clause did not match" });
  });

/** {@link sessionSchema} with defaults filled in. */
export type SessionConfig = z.output<typeof sessionSchema>;
