/** A content type without its last parameter. */
export function mediaTypeOf(contentType: string): string {
  const end = contentType.lastIndexOf(";");
  return end < 0 ? contentType : contentType.slice(0, end);
}
