/**
 * With which commit an epoch ended.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { numberOf } from "./row.ts";

/**
 * The newest commit when an epoch ended, 0 where there was none. Neither epochs nor commits ever go back, so it is found
 * by halves.
 *
 * @param epoch its number
 * @param last the newest commit of all
 */
export function epochEnd(db: DatabaseSync, epoch: number, last: number): number {
  const epochOf = db.prepare("SELECT epoch FROM commits WHERE number = ?");
  let end = 0;
  let after = last + 1;
  while (after - end > 1) {
    const middle = Math.floor((end + after) / 2);
    if (numberOf(epochOf.get(middle)?.epoch ?? 0) <= epoch) end = middle;
    else after = middle;
  }
  return end;
}
