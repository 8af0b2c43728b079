import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { RequestHandler } from "express";
import { respond } from "./respond.ts";

/**
 * Answers 400 to requests of connections without a client certificate of the configured authority; the texts are
 * nginx's, which clients of APISIX look for in a body that is no JSON.
 */
export const clientCertificateRequired: RequestHandler = async (request, response, next) => {
  const problem = problemOf(request);
  if (problem === undefined) next();
  else
    await respond(request, response, { status: 400, headers: { "Content-Type": "text/plain" }, body: `${problem}\n` });
};

function problemOf({ socket }: IncomingMessage): string | undefined {
  if (socket instanceof TLSSocket && socket.authorized) return undefined;
  const hasCertificate = socket instanceof TLSSocket && socket.getPeerX509Certificate() !== undefined;
  return hasCertificate ? "The SSL certificate error" : "No required SSL certificate was sent";
}
