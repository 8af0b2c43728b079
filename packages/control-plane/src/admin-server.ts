import type { RequestListener, Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { GatewayError, http, messageOf } from "@fngate/kernel";
import type { AdminTls } from "./options.ts";
import { declaredLength, MAX_BODY_BYTES } from "./request-body.ts";

/** Longest wait for a request's head and for the whole request, in milliseconds; bodies are small, so are these. */
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** How long an idle connection is kept, in milliseconds; nginx's default, which APISIX's clients are used to. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

const LIMITS = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
};

/**
 * Creates the server of the Admin API, with TLS when there are certificates for it. A client certificate is asked for
 * where an authority is given, but never ends the handshake: the application answers requests without one, as nginx
 * does. Raises `CONFIG_INVALID` for certificates that cannot be used.
 */
export function createAdminServer(handler: RequestListener, tls: AdminTls | undefined): Server {
  const server = tls === undefined ? http.createServer(LIMITS, handler) : createSecureServer(handler, tls);
  server.on("checkContinue", (request, response) => {
    // A body that will be refused need not be sent at all.
    if (declaredLength(request) <= MAX_BODY_BYTES) response.writeContinue();
    handler(request, response);
  });
  return server;
}

function createSecureServer(handler: RequestListener, { cert, key, ca }: AdminTls): Server {
  const verification = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: false };
  try {
    return createTlsServer({ ...LIMITS, cert, key, ...verification }, handler);
  } catch (cause) {
    const message = `deployment.admin.admin_api_mtls cannot be used: ${messageOf(cause)}`;
    throw new GatewayError("CONFIG_INVALID", message, { cause });
  }
}
