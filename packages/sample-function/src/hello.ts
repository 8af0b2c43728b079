import { http } from "@google-cloud/functions-framework";

/** Name the framework knows the function by. */
export const TARGET = "hello";

/** Greets whoever the last segment of the path names, as plain text without a line feed. */
export function greet(path: string): string {
  const segments = path.split("/").filter((segment) => segment !== "");
  return `Hello, ${decode(segments.at(-1) ?? "World")}!`;
}

http(TARGET, (request, response) => {
  response.type("text/plain").send(greet(request.path));
});

/** The segment as the caller meant it, or as it came when its escapes are broken. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
