import { createRequire } from "node:module";
import { type HttpAnswer, lazy } from "@fngate/kernel";
import {
  type ManagerTools,
  memberOf,
  noSecret,
  parseJson,
  type SecretAnswer,
  type SecretManager,
  TIMEOUT_MS,
} from "./secret-manager.ts";

const require = createRequire(import.meta.url);
const aws4 = lazy((): typeof import("aws4") => require("aws4"));

/** Access to AWS Secrets Manager, as the Admin API stores it; the first three may be references to the environment. */
export interface AwsConfig {
  readonly access_key_id: string;
  readonly secret_access_key: string;
  readonly session_token?: string | undefined;
  readonly region: string;
  /** Where it is called instead of AWS; its path is not used. */
  readonly endpoint_url?: string | undefined;
}

/** Most names that one key is tried as. */
const MAX_NAMES = 16;

/**
 * AWS Secrets Manager. Names of secrets may have slashes, so a key is tried as a name first; while there is none of that
 * name, its last segments become the member of a JSON secret. Source: APISIX, secret manager aws.
 */
export function awsManager(config: AwsConfig, tools: ManagerTools): SecretManager {
  return {
    read: async (key) => {
      if (key.startsWith("/")) return noSecret("its key needs the name of a secret");
      let name = key;
      for (let tried = 0; tried < MAX_NAMES; tried += 1) {
        const answer = await call(name, config, tools);
        if (answer === undefined) return noSecret("aws cannot be reached");
        if (answer.status === 200) return secretIn(answer, key.slice(name.length + 1));
        const slash = name.lastIndexOf("/");
        if (!isUnknownName(answer) || slash === -1) return noSecret(`aws answered ${answer.status}`);
        name = name.slice(0, slash);
      }
      return noSecret(`its key has more than ${MAX_NAMES} segments`);
    },
  };
}

function secretIn({ body }: HttpAnswer, member: string): SecretAnswer {
  const value: unknown = Object(parseJson(body)).SecretString;
  if (typeof value !== "string") return noSecret("aws has no text under this name");
  return member === "" ? { ok: true, value } : memberOf(parseJson(value), member, "aws");
}

function isUnknownName({ body }: HttpAnswer): boolean {
  return String(Object(parseJson(body)).__type).includes("ResourceNotFoundException");
}

/** Undefined: no answer. */
async function call(name: string, config: AwsConfig, { clock, http, resolveText }: ManagerTools) {
  const { access_key_id, endpoint_url, region, secret_access_key, session_token } = config;
  const body = JSON.stringify({ SecretId: name, VersionStage: "AWSCURRENT" });
  const date = new Date(clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, "");
  const fields = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-date": date,
    "x-amz-target": "secretsmanager.GetSecretValue",
    ...(session_token === undefined ? {} : { "x-amz-security-token": resolveText(session_token) }),
  };
  const credentials = { accessKeyId: resolveText(access_key_id), secretAccessKey: resolveText(secret_access_key) };
  const { RequestSigner } = aws4();
  try {
    const { host, origin } = new URL(endpoint_url ?? `https://secretsmanager.${region}.amazonaws.com`);
    const request = {
      method: "POST",
      path: "/",
      headers: { host, ...fields },
      body,
      region,
      service: "secretsmanager",
    };
    const signer = new RequestSigner(request, credentials);
    signer.datetime = date;
    const headers = [...Object.entries(fields).flat(), "authorization", signer.authHeader()];
    return await http.call({ method: "POST", url: `${origin}/`, headers, body, timeoutMs: TIMEOUT_MS });
  } catch {
    return undefined;
  }
}
