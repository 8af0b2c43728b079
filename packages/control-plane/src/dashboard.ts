import { access } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@fngate/kernel";
import compression from "compression";
import express, { type RequestHandler } from "express";
import { parseRequestPath, renderRequestPath } from "./request-path.ts";

const PAGE = "index.html";
/** What APISIX lets browsers do with the files of its dashboard; two hours. */
const CACHING = { "Cache-Control": "private,max-age=7200", "X-Content-Type-Options": "nosniff" };
const TYPES_TO_COMPRESS = /^(text\/html|text\/css|(text|application)\/javascript|application\/json)\b/;

/** Raises `CONFIG_INVALID` when a folder holds no built dashboard. */
export async function assertIsDashboard(directory: string): Promise<void> {
  try {
    await access(join(directory, PAGE));
  } catch (cause) {
    throw new GatewayError("CONFIG_INVALID", `the dashboard's folder ${directory} has no readable ${PAGE}`, { cause });
  }
}

/**
 * Serves the built files of a dashboard below `/ui/`, and its page for every path that is no file, so that addresses
 * made by the page can be reloaded. Needs no key: the page asks for it. Source: APISIX's nginx configuration.
 */
export function dashboard(directory: string): RequestHandler {
  const compress = compression({ filter: (_request, response) => isCompressed(response.getHeader("Content-Type")) });
  const setHeaders = (response: { setHeader(name: string, value: string): unknown }) => {
    for (const [name, value] of Object.entries(CACHING)) response.setHeader(name, value);
  };
  const files = express.static(directory, { index: PAGE, redirect: false, cacheControl: false, setHeaders });
  return (request, response, next) => {
    const [path = ""] = request.url.split("?", 1);
    const [first, ...rest] = parseRequestPath(path) ?? [];
    if (first !== "ui" || !["GET", "HEAD"].includes(request.method)) {
      next();
      return;
    }
    if (rest.length === 0 && !path.endsWith("/")) {
      response.redirect(301, "/ui/");
      return;
    }
    const { url } = request;
    request.url = renderRequestPath(rest);
    compress(request, response, () => {
      files(request, response, () => {
        response.sendFile(PAGE, { root: directory, cacheControl: false, headers: CACHING }, (error) => {
          request.url = url;
          if (error !== undefined && !response.headersSent) next();
        });
      });
    });
  };
}

function isCompressed(contentType: number | string | readonly string[] | undefined): boolean {
  return typeof contentType === "string" && TYPES_TO_COMPRESS.test(contentType);
}
