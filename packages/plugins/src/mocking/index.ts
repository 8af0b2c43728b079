import { definePlugin } from "@fngate/plugin-kit";
import { mockAnswers } from "./mock.ts";
import { mockingSchema } from "./schema.ts";

/** Answers with an example or with random data of a shape, without an upstream (APISIX: mocking). */
export const mocking = definePlugin({
  name: "mocking",
  version: 0.1,
  priority: 10900,
  schema: mockingSchema,
  setup: mockAnswers,
});
