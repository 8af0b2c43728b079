import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AdminHarness } from "./testing/admin-harness.ts";

const PAGE = "<!doctype html><title>dashboard</title>";
const SCRIPT = `export const text = "${"x".repeat(4096)}";`;

let folder: TempDirectory;
let admin: AdminHarness;
beforeAll(async () => {
  folder = await tempDirectory();
  const built = join(folder.path, "built");
  await mkdir(join(built, "assets"), { recursive: true });
  await writeFile(join(built, "index.html"), PAGE);
  await writeFile(join(built, "assets", "app.js"), SCRIPT);
  await writeFile(join(built, ".env"), "SECRET");
  await writeFile(join(folder.path, "secret.txt"), "SECRET");
  admin = await AdminHarness.start({ dashboardDirectory: built });
});
afterAll(async () => {
  await admin[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** A call of a browser: no key. */
const get = (path: string, headers = {}, method = "GET") =>
  admin.call(method, `/${path}`, { isAnonymous: true, headers });

describe("a dashboard", () => {
  it("is reached by a relative redirect", async () => {
    expect(await get("/ui")).toMatchObject({ status: 301, headers: { location: "/ui/" } });
  });

  it("is served without a key, to be kept by the browser for two hours", async () => {
    expect(await get("/ui/")).toMatchObject({
      status: 200,
      text: PAGE,
      headers: { "content-type": "text/html; charset=utf-8", "cache-control": "private,max-age=7200" },
    });
    expect(await get("/ui//assets/./app.js")).toMatchObject({
      status: 200,
      text: SCRIPT,
      headers: { "content-type": "text/javascript; charset=utf-8", "cache-control": "private,max-age=7200" },
    });
  });

  it("is compressed for browsers that ask for it", async () => {
    await using browser = await AdminHarness.start({ dashboardDirectory: join(folder.path, "built") });
    const answer = await fetch(`http://127.0.0.1:${browser.port}/ui/assets/app.js`);
    expect(await answer.text()).toBe(SCRIPT);
    expect(answer.headers.get("content-encoding")).toBe("gzip");
  });

  it("answers with its page where there is no file, so that its own addresses can be reloaded", async () => {
    for (const path of ["/ui/routes/detail/1", "/ui/assets", "/ui/assets/none.js", "/ui/.env", "/ui/routes?page=1"]) {
      expect(await get(path), path).toMatchObject({ status: 200, text: PAGE });
    }
    expect(await get("/ui/routes", {}, "HEAD")).toMatchObject({ status: 200, text: "" });
  });

  it.each([
    "/ui/../secret.txt",
    "/ui/%2e%2e/secret.txt",
    "/ui/..%2fsecret.txt",
    "/ui/assets/..%2f..%2f..%2fsecret.txt",
    "/ui/..%5csecret.txt",
    "/ui/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd",
    "/ui/%252e%252e/secret.txt",
    "/ui/secret.txt%00.js",
    "/ui/.env",
    "/ui/%2Eenv",
  ])("gives nothing outside of its folder away: %s", async (path) => {
    const { text } = await get(path);
    expect(text).not.toContain("SECRET");
    expect(text).not.toContain("root:");
  });

  it("does not hide the Admin API, whose paths may lead through it", async () => {
    expect(await get("/ui/../apisix/admin/routes")).toMatchObject({ status: 401 });
    expect(await admin.call("GET", "//ui/%2e%2e/apisix/admin/routes")).toMatchObject({ status: 200 });
  });

  it("takes nothing but reads", async () => {
    for (const method of ["POST", "PUT", "DELETE"]) expect((await get("/ui/", {}, method)).status).toBe(404);
  });

  it("is for those only whom the Admin API is for", async () => {
    await using strict = await AdminHarness.start({
      dashboardDirectory: join(folder.path, "built"),
      allowedAddresses: ["10.0.0.1"],
    });
    expect(await strict.call("GET", "//ui/", { isAnonymous: true })).toMatchObject({ status: 403 });
  });

  it("is not there without a folder", async () => {
    await using plain = await AdminHarness.start();
    expect(await plain.call("GET", "//ui/")).toMatchObject({ status: 404, json: { error_msg: "not found" } });
  });

  it("that is not in the folder keeps the control plane from starting", async () => {
    await using empty = new AdminHarness({ dashboardDirectory: join(folder.path, "nothing") });
    await expect(empty.plane.start()).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});
