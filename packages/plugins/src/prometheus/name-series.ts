import type { LogContext, PluginInstance } from "@fngate/plugin-kit";
import type { PrometheusConfig } from "./schema.ts";

/** Counts a finished request under its consumer and, where wanted, the names of its route and service. */
export function nameSeries({ prefer_name: isNamePreferred }: PrometheusConfig): PluginInstance {
  const choose = (id: string | undefined, name: string | undefined) => (isNamePreferred ? (name ?? id) : id) ?? "";
  return {
    log(context: LogContext) {
      const { consumer, route } = context;
      context.countAs({
        route: choose(route?.id, route?.name),
        service: choose(route?.serviceId, route?.serviceName),
        consumer: consumer?.name ?? "",
      });
    },
  };
}
