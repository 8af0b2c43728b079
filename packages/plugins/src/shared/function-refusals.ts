import type { Logger } from "@fngate/kernel";
import type { GatewayRequest, Reply } from "@fngate/plugin-kit";

/** The status when no answer came from a function. */
export const CALL_FAILED_STATUS = 503;

/** The largest body a function takes, and the status for a larger one. */
export interface BodyLimit {
  readonly maxBytes: number;
  readonly status: number;
}

/** The answer to a body whose declared length is over the limit; nothing of it is read. */
export function refuseBody({ body }: GatewayRequest, limit: BodyLimit, logger: Logger): Reply | undefined {
  const declaredBytes = body.declaredBytes ?? 0;
  if (declaredBytes <= limit.maxBytes) return undefined;
  logger.error({ declaredBytes, maxBytes: limit.maxBytes }, "request body is larger than the function takes");
  return { kind: "reply", status: limit.status };
}

/** The answer where there is no address to call; the log hears of it with the first request. */
export function createAddressRefusal(field: string, uri: string, logger: Logger): () => Reply {
  let isLogged = false;
  return () => {
    if (!isLogged) logger.error({ [field]: withoutUserInfo(uri) }, "there is no address that can be called");
    isLogged = true;
    return { kind: "reply", status: CALL_FAILED_STATUS };
  };
}

/** User information is a common reason for a bad address, and a secret. */
function withoutUserInfo(uri: string): string {
  return uri.replace(/[^/]*@/g, "***@");
}
