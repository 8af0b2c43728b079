// Exit status 0 when the process in this container is ready.
// FNGATE_HEALTH_URL: what to ask; default: the data plane's readiness. A 2xx answer means ready.
// biome-ignore lint/style/noProcessEnv: a container's settings arrive there
const url = process.env.FNGATE_HEALTH_URL ?? "http://127.0.0.1:7085/status/ready";
const method = url.includes("/apisix/admin") ? "HEAD" : "GET";
fetch(url, { method, signal: AbortSignal.timeout(1500) }).then(
  (response) => process.exit(response.ok ? 0 : 1),
  () => process.exit(1),
);
