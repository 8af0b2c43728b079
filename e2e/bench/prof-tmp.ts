import { startEtcd } from "@fngate/test-kit";
import { startFngate } from "../support/fngate-process.ts";
import { ADMIN_KEY } from "./admin-writers.ts";
import { cpuSeconds } from "./processes.ts";
import { startWriter } from "./writer-process.ts";
await using etcd = await startEtcd();
await using plane = await startFngate({ deployment: { role: "control_plane", role_control_plane: { config_provider: "etcd" }, etcd: { host: [etcd.url], prefix: "/apisix" }, admin: { admin_listen: { ip: "127.0.0.1", port: 0 }, admin_key: [{ name: "admin", key: ADMIN_KEY, role: "admin" }] } } });
await using admin = startWriter("admin", String(plane.address("admin").port));
console.log("pid", plane.pid);
const c = Number(process.argv[2] ?? 1);
await admin.write(4000, 32);
for (let i = 0; i < 3; i++) { const b = cpuSeconds(plane.pid); const r = await admin.write(2000, c); console.log(c, r.toFixed(0), "/s", ((cpuSeconds(plane.pid) - b) / 2000 * 1e6).toFixed(0), "us CPU"); }
