import { z } from "zod";
import { functionFields } from "../shared/function-fields.ts";

const iam = z.looseObject({
  accesskey: z.string().describe("Id of the access key."),
  secretkey: z.string().describe("The secret access key."),
  aws_region: z.string().default("us-east-1").describe("Region that the signature is for."),
  service: z.string().default("execute-api").describe("Service that the signature is for; `lambda` for function URLs."),
});

/** Configuration of the plugin on a route, service or rule; properties it does not know are kept (APISIX: aws-lambda). */
export const awsLambdaSchema = z.looseObject({
  ...functionFields,
  authorization: z
    .looseObject({
      apikey: z
        .string()
        .optional()
        .describe("Key of an API Gateway, sent as `x-api-key` unless the client brings one."),
      iam: iam
        .optional()
        .describe(
          "Access key that requests are signed with (AWS Signature Version 4), unless `apikey` is sent or the client brings an `Authorization`.",
        ),
    })
    .optional()
    .describe("Credentials of the function."),
});

/** {@link awsLambdaSchema} with defaults filled in. */
export type AwsLambdaConfig = z.output<typeof awsLambdaSchema>;

/** The access key of a configuration. */
export type AccessKey = z.output<typeof iam>;
