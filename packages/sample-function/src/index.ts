export { type SampleFunction, type SampleFunctionOptions, startSampleFunction } from "./start-sample-function.ts";
