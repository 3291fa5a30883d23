/**
 * Headers of packed trees: the part of the tar format (POSIX.1-2001, "pax") that is needed for files, folders and links.
 *
 * Promise: what is written depends on the entry alone, so that equal trees have equal bytes; what is read is checked, and
 * nothing of an owner, a device or a special mode is taken over.
 * Not here: which names are safe (tree_entry.ts), the bytes of files (tar_pack.ts, tar_unpack.ts).
 *
 * @module
 */

/** Everything stands in blocks of so many bytes. */
export const TAR_BLOCK = 512;

/** What one header says. */
export interface TarHeader {
  readonly name: string;
  readonly type: TarType;
  /** Of the content that follows. */
  readonly bytes: number;
  readonly isExecutable: boolean;
  /** Of a link. */
  readonly target: string;
}

/** `more` holds values of the next header that do not fit into it. */
export type TarType = "file" | "folder" | "link" | "more";

const FLAGS: Readonly<Record<TarType, string>> = { file: "0", folder: "5", link: "2", more: "x" };
/** A longer name stands before its header. */
const NAME_BYTES = 100;
/** Eleven octal digits. */
const SIZE_MAX = 8 ** 11 - 1;

/** The blocks of an entry's header: two more where its name is long, foreign or it is large. */
export function encodeTarHeader(header: TarHeader): Uint8Array<ArrayBuffer> {
  const more: Record<string, string> = {};
  if (!fits(header.name)) more["path"] = header.name;
  if (!fits(header.target)) more["linkpath"] = header.target;
  if (header.bytes > SIZE_MAX) more["size"] = String(header.bytes);
  const plain = block({
    ...header,
    name: "path" in more ? "long" : header.name,
    target: "linkpath" in more ? "long" : header.target,
    bytes: "size" in more ? 0 : header.bytes,
  });
  if (Object.keys(more).length === 0) return plain;
  const records = encoder.encode(Object.entries(more).map(([key, value]) => record(key, value)).join(""));
  const before = block({
    name: "more",
    type: "more",
    bytes: records.length,
    isExecutable: false,
    target: "",
  });
  const whole = new Uint8Array(TAR_BLOCK * 2 + padded(records.length));
  whole.set(before);
  whole.set(records, TAR_BLOCK);
  whole.set(plain, TAR_BLOCK + padded(records.length));
  return whole;
}

/** Bytes up to the end of the last block. */
export function padded(bytes: number): number {
  return Math.ceil(bytes / TAR_BLOCK) * TAR_BLOCK;
}

/** Whether a block says that nothing follows. */
export function isTarEnd(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** @returns the header, or a sentence that says why the block is none */
export function decodeTarHeader(bytes: Uint8Array): TarHeader | string {
  const read = (from: number, length: number) => textOf(bytes.subarray(from, from + length));
  const magic = read(257, 5);
  if (magic !== "ustar") return "a header has no mark of a tar file";
  if (octal(read(148, 8)) !== sumOf(bytes)) return "a header's checksum is wrong";
  const size = octal(read(124, 12)), mode = octal(read(100, 8));
  const flag = read(156, 1) || "0";
  const type = TYPES.find((each) => FLAGS[each] === flag);
  const prefix = read(345, 155), last = read(0, NAME_BYTES);
  const name = prefix === "" ? last : `${prefix}/${last}`;
  if (type === undefined) return `"${name}" is neither a file, a folder nor a link (its type is "${flag}")`;
  if (size === undefined || mode === undefined) return `the header of "${name}" has a number that is none`;
  return { name, type, bytes: size, isExecutable: (mode & 0o100) !== 0, target: read(157, NAME_BYTES) };
}

/** The values that stand before a header in place of its own. @returns a sentence where they are none */
export function decodeTarMore(bytes: Uint8Array): Readonly<Record<string, string>> | string {
  const values: Record<string, string> = {};
  for (let from = 0; from < bytes.length;) {
    const space = bytes.indexOf(0x20, from);
    const digits = space < 0 ? "" : textOf(bytes.subarray(from, space));
    const end = from + Number(digits);
    if (!/^\d{1,7}$/.test(digits) || end > bytes.length || end <= space || bytes[end - 1] !== 0x0a) {
      return "a long name is broken";
    }
    const pair = textOf(bytes.subarray(space + 1, end - 1));
    const at = pair.indexOf("=");
    if (at < 1) return "a long name is broken";
    values[pair.slice(0, at)] = pair.slice(at + 1);
    from = end;
  }
  return values;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const TYPES: readonly TarType[] = ["file", "folder", "link", "more"];

/** Plain characters alone: what others stand for is said differently on different systems. */
function fits(text: string): boolean {
  return text.length <= NAME_BYTES && /^[\x20-\x7e]*$/.test(text);
}

function block({ name, type, bytes, isExecutable, target }: TarHeader): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(TAR_BLOCK);
  const put = (text: string, from: number) => whole.set(encoder.encode(text), from);
  const digits = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  const mode = type === "link" ? 0o777 : isExecutable || type === "folder" ? 0o755 : 0o644;
  put(name, 0);
  put(digits(mode, 8), 100);
  // Owner and group are nobody's business, times would make equal trees differ.
  put(digits(0, 8), 108);
  put(digits(0, 8), 116);
  put(digits(bytes, 12), 124);
  put(digits(0, 12), 136);
  put(FLAGS[type], 156);
  put(target, 157);
  put("ustar\x0000", 257);
  put(digits(0, 8), 329);
  put(digits(0, 8), 337);
  put(`${sumOf(whole).toString(8).padStart(6, "0")}\0 `, 148);
  return whole;
}

/** The sum of a header's bytes, its own field counted as blanks. */
function sumOf(bytes: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < TAR_BLOCK; at += 1) if (at < 148 || at >= 156) sum += bytes[at] ?? 0;
  return sum;
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself. */
function record(key: string, value: string): string {
  const rest = encoder.encode(` ${key}=${value}\n`).length;
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return `${length} ${key}=${value}\n`;
}

/** Up to the first zero byte. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function octal(text: string): number | undefined {
  const digits = text.trim();
  return /^[0-7]{1,11}$/.test(digits) ? parseInt(digits, 8) : digits === "" ? 0 : undefined;
}
