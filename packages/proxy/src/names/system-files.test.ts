import { expect, test } from "vitest";
import { parseHosts, parseResolvConf, readIfThere } from "./system-files.ts";

test("a resolv.conf gives servers, search domains and ndots; what is no address is left out", () => {
  const text = `
# a comment
nameserver 192.0.2.1 ; and another
nameserver nonsense
nameserver fe80::1%eth0
domain old.test
search one.test  two.test
options rotate ndots:5 timeout:1
`;
  expect(parseResolvConf(text)).toEqual({
    servers: ["192.0.2.1", "fe80::1%eth0"],
    search: ["one.test", "two.test"],
    ndots: 5,
  });
  expect(parseResolvConf("")).toEqual({ servers: [], search: [], ndots: 1 });
  expect(parseResolvConf("options ndots:99").ndots).toBe(15);
});

test("a hosts file gives addresses by name in lower case, those of IPv4 only where there are some", () => {
  const hosts = parseHosts("127.0.0.1 localhost Box\n::1 localhost six\nnonsense name\n");
  expect(Object.fromEntries(hosts)).toEqual({ localhost: ["127.0.0.1"], box: ["127.0.0.1"], six: ["::1"] });
});

test("a file that is not there is empty", () => {
  expect(readIfThere("/nonexistent/hosts")).toBe("");
});
