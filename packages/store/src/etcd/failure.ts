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
  const message = `etcd at ${hosts} ${verdictOn(error, user)}: ${messageOf(error)}`;
  return new GatewayError("STORE_UNAVAILABLE", message, { cause: error, details: { hosts } });
}

function verdictOn(error: unknown, user: string | undefined): string {
  if (isEndpointFailure(error)) return "does not answer";
  if (!isRefusal(error)) return "refuses the call";
  return user === undefined ? "refuses calls without a user" : `refuses user "${user}"`;
}

function isRefusal(error: unknown): boolean {
  return [
    EtcdAuthenticationFailedError,
    EtcdInvalidAuthTokenError,
    EtcdPermissionDeniedError,
    GRPCUnauthenticatedError,
  ].some((kind) => error instanceof kind);
}
