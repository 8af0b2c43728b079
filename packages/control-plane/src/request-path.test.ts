import { expect, it } from "vitest";
import { parseRequestPath, renderRequestPath } from "./request-path.ts";

it.each([
  ["/apisix/admin/routes/1", ["apisix", "admin", "routes", "1"]],
  ["/apisix/admin/routes/", ["apisix", "admin", "routes"]],
  ["//apisix///admin/routes//1//", ["apisix", "admin", "routes", "1"]],
  ["/apisix/admin/a%2Fb", ["apisix", "admin", "a", "b"]],
  ["/apisix/admin/a%20b", ["apisix", "admin", "a b"]],
  ["/apisix/./admin/x/../routes", ["apisix", "admin", "routes"]],
  ["/apisix/admin/x/%2e%2E/routes", ["apisix", "admin", "routes"]],
  ["/", []],
  ["/%", undefined],
  ["/%ff", undefined],
  ["/a%00", undefined],
  ["/../a", undefined],
  ["*", undefined],
])("%s is read as %j", (path, segments) => {
  expect(parseRequestPath(path)).toEqual(segments);
});

it("a rendered path reads back as the same segments", () => {
  const segments = ["apisix", "127.0.0.1:80", "ä b", "a%2Fb"];
  expect(renderRequestPath(segments)).toBe("/apisix/127.0.0.1%3A80/%C3%A4%20b/a%252Fb");
});
