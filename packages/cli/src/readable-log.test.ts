import { describe, expect, it } from "vitest";
import { createLogger } from "./logger.ts";
import { readableLog } from "./readable-log.ts";

function logged(fields: Record<string, unknown>, message: string): string {
  let text = "";
  const destination = readableLog((more) => {
    text += more;
  });
  createLogger({ level: "info", destination }).info(fields, message);
  return text;
}

describe("the log of a terminal", () => {
  it("shows time, severity, message and fields on one line", () => {
    expect(logged({ event: "listening", host: "127.0.0.1", port: 9080 }, "listening")).toMatch(
      /^\d\d:\d\d:\d\d info listening host="127\.0\.0\.1" port=9080\n$/,
    );
  });

  it("lets no value or message start a line of its own or reach the terminal's controls", () => {
    const text = logged({ path: "/a\nb\u001b[2J" }, "odd\r\nmessage");
    expect(text.match(/\n/g)).toHaveLength(1);
    expect(text).not.toContain("\r");
    expect(text).not.toContain("\u001b");
  });
});
