export { type ControlPlane, createControlPlane, type StopOptions } from "./control-plane.ts";
export { assertAdminKeysAreSafe } from "./key-safety.ts";
export type { AdminKey, AdminListen, ControlPlaneOptions } from "./options.ts";
