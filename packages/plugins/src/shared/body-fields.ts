import type { HeaderList } from "@fngate/kernel";

/** Removes what an answer says of a body that is being changed (APISIX: `clear_header_as_body_modified`). */
export function dropBodyFields(headers: HeaderList): void {
  headers.delete("content-length");
  headers.delete("content-encoding");
  headers.delete("last-modified");
  headers.delete("etag");
}
