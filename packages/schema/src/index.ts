export { defineResource, type ResourceDefinition, type ResourceMethod, type ResourceReference } from "./definition.ts";
