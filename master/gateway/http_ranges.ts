/**
 * Which bytes a request is about.
 *
 * @module
 */

/** Some bytes of a whole. */
export interface ByteRange {
  readonly from: number;
  readonly bytes: number;
}

/** What the body of a request is: bytes of a whole, or none yet (`*`). */
export interface SentRange {
  readonly from: number | undefined;
  readonly total: number;
}

/**
 * The bytes that are asked for; `undefined` where all are, also where the header is none that is understood (RFC 9110,
 * section 14.2).
 *
 * @param total of what is there
 */
export function rangeAsked(header: string | null, total: number): ByteRange | "unsatisfiable" | undefined {
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const bytes = Math.min(Number(last), total);
    return bytes === 0 ? "unsatisfiable" : { from: total - bytes, bytes };
  }
  const from = Number(first);
  const end = last === "" ? total : Math.min(Number(last) + 1, total);
  if (last !== "" && Number(last) < from) return undefined;
  return from >= total ? "unsatisfiable" : { from, bytes: end - from };
}

/**
 * What a body is, from `content-range: bytes FROM-LAST/TOTAL` (or `bytes *\/TOTAL`), else from `content-length`.
 *
 * @returns undefined where neither says it
 */
export function rangeSent(headers: Headers): SentRange | undefined {
  const range = headers.get("content-range");
  if (range === null) {
    const length = headers.get("content-length");
    return length !== null && /^\d{1,15}$/.test(length) ? { from: 0, total: Number(length) } : undefined;
  }
  const [, span, first, last, total] = /^bytes (\*|(\d{1,15})-(\d{1,15}))\/(\d{1,15})$/.exec(range.trim()) ??
    [];
  if (span === undefined) return undefined;
  if (span === "*") return { from: undefined, total: Number(total) };
  const isInOrder = Number(first) <= Number(last) && Number(last) < Number(total);
  return isInOrder ? { from: Number(first), total: Number(total) } : undefined;
}
