import type { PluginInstance, Reply, RequestContext } from "@fngate/plugin-kit";
import type { ConsumerRestrictionConfig } from "./schema.ts";

type Subject = (context: RequestContext) => string | undefined;

const SUBJECTS: Readonly<Record<ConsumerRestrictionConfig["type"], Subject>> = {
  consumer_name: ({ consumer }) => consumer?.name,
  consumer_group_id: ({ consumer }) => consumer?.groupId,
  route_id: ({ route }) => route?.id,
  service_id: ({ route }) => route?.serviceId,
};

/** Lets a request through or refuses it by what the lists say of its caller, route or service. */
export function restrictCallers(config: ConsumerRestrictionConfig): PluginInstance {
  const { rejected_code: status, rejected_msg: message, type } = config;
  const subjectOf = SUBJECTS[type];
  const isAllowed = compileLists(config);
  const refusal: Reply = { kind: "reply", status, body: { message: message ?? `The ${type} is forbidden.` } };
  const unknown: Reply = {
    kind: "reply",
    status: 401,
    body: { message: `The request is rejected, please check the ${type} for this request` },
  };
  return {
    access(context) {
      const subject = subjectOf(context);
      if (subject === undefined) return unknown;
      return isAllowed(subject, context.request.method) ? undefined : refusal;
    },
  };
}

/** The order of the lists: blacklist, whitelist, methods; who stands on the whitelist may use any. */
function compileLists(config: ConsumerRestrictionConfig): (subject: string, method: string) => boolean {
  const blacklist = new Set(config.blacklist);
  const whitelist = config.whitelist && new Set(config.whitelist);
  const methodsOf = compileMethods(config.allowed_by_methods);
  return (subject, method) => {
    if (blacklist.has(subject)) return false;
    if (whitelist !== undefined) return whitelist.has(subject);
    return methodsOf.get(subject)?.has(method) ?? true;
  };
}

function compileMethods(
  entries: ConsumerRestrictionConfig["allowed_by_methods"] = [],
): ReadonlyMap<string, ReadonlySet<string>> {
  const methodsOf = new Map<string, ReadonlySet<string>>();
  for (const { methods, user } of entries) {
    if (user !== undefined && !methodsOf.has(user)) methodsOf.set(user, new Set(methods));
  }
  return methodsOf;
}
