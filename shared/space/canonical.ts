/**
 * Canonical text: equal for equal data, whatever the order of its keys; and its hash.
 *
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Value } from "./candidate.ts";
import { isCandidate, isList } from "./node.ts";

/** Hashes are cut to this many hexadecimal digits (128 bits): chance collisions need 10^19 candidates. */
export const HASH_DIGITS = 32;

/** A value as text, keys sorted. */
export function canonicalText(value: Value): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (isCandidate(value)) {
    let text = "{";
    // Sorted by code units: a locale's order would differ between machines.
    for (const key of Object.keys(value).sort()) {
      const member = value[key];
      if (member !== undefined) text += `${key}:${canonicalText(member)},`;
    }
    return `${text}}`;
  }
  if (isList(value)) {
    let text = "[";
    for (const item of value) text += `${canonicalText(item)},`;
    return `${text}]`;
  }
  return String(value);
}

const encoder = new TextEncoder();

/** The hash of a text, in hexadecimal. */
export function hashText(text: string): string {
  return bytesToHex(sha256(encoder.encode(text)).subarray(0, HASH_DIGITS / 2));
}
