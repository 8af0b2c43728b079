import { expect, test } from "vitest";
import { renderHealthPage } from "./health-report.ts";

const counter = { success: 1, tcp_failure: 2, http_failure: 3, timeout_failure: 4 };
const node = { ip: "10.0.0.1", port: 80, hostname: "a", counter } as const;

test("the page has a numbered row per node, in APISIX's columns", () => {
  const page = renderHealthPage([
    { name: "/apisix/routes/1", type: "http", nodes: [{ ...node, status: "healthy" }] },
    { name: "/apisix/upstreams/<b>", type: undefined, nodes: [{ ...node, status: "mostly_unhealthy" }] },
  ]);
  const cells = (...texts: readonly (string | number)[]) => texts.map((text) => `<td>${text}</td>`).join("");
  expect(page).toContain(`<tr>${cells(1, "/apisix/routes/1", "http", "10.0.0.1:80", "healthy", 1, 2, 3, 4)}</tr>`);
  expect(page).toContain(
    `<tr class="down">${cells(2, "/apisix/upstreams/&#60;b&#62;", "", "10.0.0.1:80", "mostly_unhealthy", 1, 2, 3, 4)}</tr>`,
  );
});
