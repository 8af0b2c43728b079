import { definePlugin } from "@fngate/plugin-kit";
import { invokeLambda } from "./invoke.ts";
import { awsLambdaSchema } from "./schema.ts";

/** Calls an AWS Lambda function in place of the route's upstream (APISIX: aws-lambda). */
export const awsLambda = definePlugin({
  name: "aws-lambda",
  version: 0.1,
  priority: -1899,
  schema: awsLambdaSchema,
  secretFields: ["authorization.apikey", "authorization.iam.accesskey", "authorization.iam.secretkey"],
  setup: invokeLambda,
});
