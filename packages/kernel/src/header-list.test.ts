import { describe, expect, it } from "vitest";
import { HeaderList } from "./header-list.ts";

const FIELDS = ["Host", "a", "X-Tag", "1", "x-tag", "2"] as const;

describe("HeaderList", () => {
  it("reads without regard to case", () => {
    const headers = new HeaderList([...FIELDS]);

    expect(headers.get("host")).toBe("a");
    expect(headers.get("x-tag")).toBe("1");
    expect(headers.getAll("x-tag")).toEqual(["1", "2"]);
    expect([headers.has("host"), headers.has("x-none")]).toEqual([true, false]);
    expect(headers.get("x-none")).toBeUndefined();
  });

  it("is empty by default", () => {
    expect(new HeaderList().raw).toEqual([]);
  });

  it("replaces every field of a name at the place of the first", () => {
    const headers = new HeaderList([...FIELDS, "End", "z"]);
    headers.set("X-TAG", "3");

    expect(headers.raw).toEqual(["Host", "a", "X-TAG", "3", "End", "z"]);
  });

  it("adds a field that was not there at the end", () => {
    const headers = new HeaderList([...FIELDS]);
    headers.set("New", "n");

    expect(headers.raw).toEqual([...FIELDS, "New", "n"]);
  });

  it("replaces and removes fields wherever they stand, again and again", () => {
    const headers = new HeaderList(["A", "1", "B", "2", "a", "3", "C", "4", "a", "5"]);
    headers.set("a", "6");
    expect(headers.raw).toEqual(["a", "6", "B", "2", "C", "4"]);
    headers.delete("b");
    headers.set("C", "7");
    headers.set("D", "8");
    expect(headers.raw).toEqual(["a", "6", "C", "7", "D", "8"]);
  });

  it("keeps fields of the same name when appending", () => {
    const headers = new HeaderList([...FIELDS]);
    headers.append("X-Tag", "3");
    headers.append("X-Tag", "4");

    expect(headers.getAll("x-tag")).toEqual(["1", "2", "3", "4"]);
  });

  it("removes every field of a name", () => {
    const headers = new HeaderList([...FIELDS]);
    headers.delete("x-tag");
    headers.delete("x-none");

    expect(headers.raw).toEqual(["Host", "a"]);
  });

  it.each([
    { change: "set", apply: (headers: HeaderList) => headers.set("Host", "b") },
    { change: "append", apply: (headers: HeaderList) => headers.append("Host", "b") },
    { change: "delete", apply: (headers: HeaderList) => headers.delete("host") },
  ])("leaves the array it was made from as it is on $change", ({ apply }) => {
    const fields = [...FIELDS];
    const headers = new HeaderList(fields);

    expect(headers.raw).toBe(fields);
    apply(headers);
    expect(fields).toEqual([...FIELDS]);
    expect(headers.raw).not.toBe(fields);
  });
});
