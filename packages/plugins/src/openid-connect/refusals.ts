import type { Reply } from "@fngate/plugin-kit";

/** 401 with the scheme's challenge (RFC 6750, 3); without a problem the request had no token. */
export function unauthorized(realm: string, problem?: string): Reply {
  const error = problem === undefined ? "" : `, error="invalid_token", error_description="${quotable(problem)}"`;
  return { kind: "reply", status: 401, headers: ["WWW-Authenticate", `Bearer realm="${quotable(realm)}"${error}`] };
}

/** 403 with what is missing. */
export function forbidden(error: string): Reply {
  return { kind: "reply", status: 403, body: JSON.stringify({ error }) };
}

/** Text that can stand between quotation marks. */
function quotable(text: string): string {
  return text.replace(/[\\"]/g, "'").replace(/[^\x20-\x7e]/g, " ");
}
