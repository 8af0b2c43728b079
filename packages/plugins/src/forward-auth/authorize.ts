import { HeaderList, type HttpAnswer, messageOf } from "@fngate/kernel";
import type { PhaseResult, PluginDeps, PluginInstance, Reply, RequestContext } from "@fngate/plugin-kit";
import { decideBy, templatesAskForBody } from "../shared/conditions.ts";
import { isOwnField } from "../shared/wire-text.ts";
import { compileCallFields } from "./call-fields.ts";
import type { ForwardAuthConfig } from "./schema.ts";

/** Asks a service about every request. */
export function askService(config: ForwardAuthConfig, { http, logger }: PluginDeps): PluginInstance {
  const fieldsOf = compileCallFields(config);
  const upstreamNames = config.upstream_headers.filter(isOwnField);
  const clientNames = config.client_headers.filter(isOwnField);
  const { keepalive, request_method: method, ssl_verify: verifyTls, timeout: timeoutMs, uri: url } = config;
  const ask = (context: RequestContext, body: Uint8Array | undefined): Promise<HttpAnswer> => {
    const call = { method, url, headers: fieldsOf(context), timeoutMs, verifyTls, keepalive, signal: context.signal };
    return http.call(body === undefined ? call : { ...call, body });
  };
  const decide = async (context: RequestContext): Promise<PhaseResult> => {
    const body = method === "POST" ? await context.request.body.read(config.max_req_body_size) : undefined;
    if (body === "too-large") return { kind: "reply", status: 413 };
    let answer: HttpAnswer;
    try {
      answer = await ask(context, body);
    } catch (error) {
      logger.warn({ reason: messageOf(error) }, "the authorization service cannot be asked");
      if (!config.allow_degradation) return { kind: "reply", status: config.status_on_error };
      // Nobody vouches for what the client says under these names.
      passFields(context, upstreamNames, new HeaderList());
      return undefined;
    }
    const told = new HeaderList(answer.headers);
    if (answer.status >= 300) return refusalOf(answer, clientNames, told);
    passFields(context, upstreamNames, told);
    return undefined;
  };
  const isBodyWanted = templatesAskForBody(config.extra_headers);
  return { access: (context) => decideBy<PhaseResult>(isBodyWanted, context, () => decide(context)) };
}

function refusalOf({ body, status }: HttpAnswer, names: readonly string[], told: HeaderList): Reply {
  const headers = names.flatMap((name) => told.getAll(name.toLowerCase()).flatMap((value) => [name, value]));
  return { kind: "reply", status, headers, body };
}

/** A field that the answer does not have must not come from the client either. */
function passFields({ request }: RequestContext, names: readonly string[], told: HeaderList): void {
  for (const name of names) {
    request.headers.delete(name.toLowerCase());
    for (const value of told.getAll(name.toLowerCase())) request.headers.append(name, value);
  }
}
