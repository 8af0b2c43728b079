/** What the function's process tells the process that started it. */
export type SampleMessage =
  | { readonly event: "listening"; readonly host: string; readonly port: number }
  | { readonly event: "failed"; readonly reason: string };

/** Tells whether a message of a child process is ours. */
export function isSampleMessage(message: unknown): message is SampleMessage {
  if (typeof message !== "object" || message === null || !("event" in message)) return false;
  return message.event === "listening" || message.event === "failed";
}
