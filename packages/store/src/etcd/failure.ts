import { GatewayError, isGatewayError, messageOf } from "@fngate/kernel";
import {
  EtcdAuthenticationFailedError,
  EtcdInvalidAuthTokenError,
  EtcdPermissionDeniedError,
  GRPCUnauthenticatedError,
  isRecoverableError,
} from "etcd3";

/** Raised when an endpoint did not answer within its share of the time. */
export class EndpointTimeout extends Error {
  override readonly name = "EndpointTimeout";
}

/** Tells whether another endpoint, or the same one later, may well answer what this one did not. */
export function isEndpointFailure(error: unknown): boolean {
  return error instanceof EndpointTimeout || (error instanceof Error && isRecoverableError(error));
}

/** The gateway's error for anything a call to etcd raised; errors of the gateway pass unchanged. */
export function storeFailure(error: unknown, hosts: string, user: string | undefined): GatewayError {
  if (isGatewayError(error)) return error;
  const details = { hosts };
  if (isRefusal(error)) {
    const who = user === undefined ? "calls without a user" : `user "${user}"`;
    const message = `etcd at ${hosts} refuses ${who}: ${messageOf(error)}`;
    return new GatewayError("STORE_UNAVAILABLE", message, { cause: error, details });
  }
  const message = `etcd at ${hosts} does not answer: ${messageOf(error)}`;
  return new GatewayError("STORE_UNAVAILABLE", message, { cause: error, details });
}

function isRefusal(error: unknown): boolean {
  return [
    EtcdAuthenticationFailedError,
    EtcdInvalidAuthTokenError,
    EtcdPermissionDeniedError,
    GRPCUnauthenticatedError,
  ].some((kind) => error instanceof kind);
}
