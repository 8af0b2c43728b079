export { type ControlPlane, createControlPlane, type StopOptions } from "./control-plane.ts";
export { assertAdminKeysAreSafe } from "./key-safety.ts";
export type { AdminKey, AdminListen, AdminTls, ControlPlaneOptions } from "./options.ts";
