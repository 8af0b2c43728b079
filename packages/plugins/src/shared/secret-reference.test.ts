import { expect, it } from "vitest";
import { isSecretReference } from "./secret-reference.ts";

it.each([
  { text: "$secret://vault/1/jack/key", isReference: true },
  { text: "$env://NAME", isReference: true },
  { text: "$ENV://NAME", isReference: true },
  { text: "$SECRET://vault/1/jack/key", isReference: false },
  { text: " $env://NAME", isReference: false },
  { text: "$env:NAME", isReference: false },
])("tells whether $text refers to a secret as the resource schemas do: $isReference", ({ isReference, text }) => {
  expect(isSecretReference(text)).toBe(isReference);
});
