/**
 * How large a decoded value is, without encoding it again.
 *
 * @module
 */

/**
 * Whether a value takes at most so many bytes as msgpack, as far as can be told in passing.
 *
 * What it counts is never more than what the encoder writes, so that nothing is refused that a peer measured as small
 * enough. It stops as soon as it knows.
 */
export function isAtMost(value: unknown, bytesMax: number): boolean {
  let bytes = 0;
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const each = waiting.pop();
    bytes += 1;
    if (typeof each === "string") bytes += each.length;
    else if (ArrayBuffer.isView(each)) bytes += each.byteLength;
    else if (typeof each === "object" && each !== null) {
      for (const [key, inner] of Object.entries(each)) {
        if (!Array.isArray(each)) bytes += key.length + 1;
        waiting.push(inner);
      }
    }
    if (bytes + waiting.length > bytesMax) return false;
  }
  return true;
}
