import { describeRouter } from "./contract.ts";
import { createRouter } from "./create-router.ts";

describeRouter({ name: "TreeRouter", create: (kind) => createRouter<string>(kind) });
