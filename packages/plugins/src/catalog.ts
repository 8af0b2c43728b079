// Generated from the folder names by `pnpm gen`; do not edit.
import type { PluginDefinition } from "@fngate/plugin-kit";
import { acl } from "./acl/index.ts";
import { apiBreaker } from "./api-breaker/index.ts";
import { attachConsumerLabel } from "./attach-consumer-label/index.ts";
import { awsLambda } from "./aws-lambda/index.ts";
import { azureFunctions } from "./azure-functions/index.ts";
import { basicAuth } from "./basic-auth/index.ts";
import { batchRequests } from "./batch-requests/index.ts";
import { bodyTransformer } from "./body-transformer/index.ts";
import { brotli } from "./brotli/index.ts";
import { clientControl } from "./client-control/index.ts";
import { consumerRestriction } from "./consumer-restriction/index.ts";
import { cors } from "./cors/index.ts";
import { csrf } from "./csrf/index.ts";
import { echo } from "./echo/index.ts";
import { faultInjection } from "./fault-injection/index.ts";
import { fileLogger } from "./file-logger/index.ts";
import { forwardAuth } from "./forward-auth/index.ts";
import { gzip } from "./gzip/index.ts";
import { hmacAuth } from "./hmac-auth/index.ts";
import { httpLogger } from "./http-logger/index.ts";
import { ipRestriction } from "./ip-restriction/index.ts";
import { jweDecrypt } from "./jwe-decrypt/index.ts";
import { jwtAuth } from "./jwt-auth/index.ts";
import { keyAuth } from "./key-auth/index.ts";
import { ldapAuth } from "./ldap-auth/index.ts";
import { limitConn } from "./limit-conn/index.ts";
import { limitCount } from "./limit-count/index.ts";
import { limitReq } from "./limit-req/index.ts";
import { lokiLogger } from "./loki-logger/index.ts";
import { mocking } from "./mocking/index.ts";
import { multiAuth } from "./multi-auth/index.ts";
import { nodeStatus } from "./node-status/index.ts";
import { opa } from "./opa/index.ts";
import { openfunction } from "./openfunction/index.ts";
import { openidConnect } from "./openid-connect/index.ts";
import { opentelemetry } from "./opentelemetry/index.ts";
import { openwhisk } from "./openwhisk/index.ts";
import { prometheus } from "./prometheus/index.ts";
import { proxyBuffering } from "./proxy-buffering/index.ts";
import { proxyCache } from "./proxy-cache/index.ts";
import { proxyControl } from "./proxy-control/index.ts";
import { proxyMirror } from "./proxy-mirror/index.ts";
import { proxyRewrite } from "./proxy-rewrite/index.ts";
import { publicApi } from "./public-api/index.ts";
import { realIp } from "./real-ip/index.ts";
import { redirect } from "./redirect/index.ts";
import { refererRestriction } from "./referer-restriction/index.ts";
import { requestId } from "./request-id/index.ts";
import { requestValidation } from "./request-validation/index.ts";
import { responseRewrite } from "./response-rewrite/index.ts";
import { serverInfo } from "./server-info/index.ts";
import { serverlessPostFunction } from "./serverless-post-function/index.ts";
import { serverlessPreFunction } from "./serverless-pre-function/index.ts";
import { syslog } from "./syslog/index.ts";
import { tcpLogger } from "./tcp-logger/index.ts";
import { trafficSplit } from "./traffic-split/index.ts";
import { uaRestriction } from "./ua-restriction/index.ts";
import { udpLogger } from "./udp-logger/index.ts";
import { uriBlocker } from "./uri-blocker/index.ts";
import { workflow } from "./workflow/index.ts";
import { zipkin } from "./zipkin/index.ts";

/** Every plugin of this package, by name. */
export const builtinPlugins: readonly PluginDefinition[] = [
  acl,
  apiBreaker,
  attachConsumerLabel,
  awsLambda,
  azureFunctions,
  basicAuth,
  batchRequests,
  bodyTransformer,
  brotli,
  clientControl,
  consumerRestriction,
  cors,
  csrf,
  echo,
  faultInjection,
  fileLogger,
  forwardAuth,
  gzip,
  hmacAuth,
  httpLogger,
  ipRestriction,
  jweDecrypt,
  jwtAuth,
  keyAuth,
  ldapAuth,
  limitConn,
  limitCount,
  limitReq,
  lokiLogger,
  mocking,
  multiAuth,
  nodeStatus,
  opa,
  openfunction,
  openidConnect,
  opentelemetry,
  openwhisk,
  prometheus,
  proxyBuffering,
  proxyCache,
  proxyControl,
  proxyMirror,
  proxyRewrite,
  publicApi,
  realIp,
  redirect,
  refererRestriction,
  requestId,
  requestValidation,
  responseRewrite,
  serverInfo,
  serverlessPostFunction,
  serverlessPreFunction,
  syslog,
  tcpLogger,
  trafficSplit,
  uaRestriction,
  udpLogger,
  uriBlocker,
  workflow,
  zipkin,
];
