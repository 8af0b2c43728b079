type Fields = Readonly<Record<string, string>>;

/** Longest time for a login, milliseconds; the route may have to be waited for. */
const DEADLINE_MS = 10_000;

/** A token of the provider's, as a client has it. */
export async function obtainToken(provider: string): Promise<Fields> {
  const answer = await fetch(`${provider}/token`, { method: "POST" });
  const { access_token: token } = (await answer.json()) as { readonly access_token: string };
  return { authorization: `Bearer ${token}` };
}

/** Logs in as a browser does, by way of the provider and back; the session's cookies. */
export async function logIn(url: string): Promise<Fields> {
  const cookies = new Map<string, string>();
  const endsAt = performance.now() + DEADLINE_MS;
  let next = url;
  while (performance.now() < endsAt) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(next, { redirect: "manual", headers: { cookie } });
    await answer.arrayBuffer();
    keep(cookies, answer.headers.getSetCookie());
    if (answer.status === 200) return { cookie };
    next = new URL(answer.headers.get("location") ?? url, next).href;
  }
  throw new Error(`no login at ${url}`);
}

function keep(cookies: Map<string, string>, fields: readonly string[]): void {
  for (const field of fields) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(field) ?? [];
    if (value === "") cookies.delete(name);
    else cookies.set(name, value);
  }
}
