/**
 * Curves as chains: an attempt that goes on from a checkpoint of another one has its steps above the checkpoint's.
 *
 * Promise: each step of a curve is one attempt's, however many saved checkpoints or were alive at once.
 * Not here: where reports and chains are kept.
 *
 * @module
 */

/** An attempt of one task; epochs are whatever a store calls them. */
interface AttemptOf<E> {
  readonly epoch: E;
  readonly attempt: number;
}

/** What an attempt goes on from. */
export interface ContinuedFrom<E> extends AttemptOf<E> {
  readonly step: number;
}

/** Steps of an attempt that stand in the curve: those above `above`, up to and with `upTo`. */
export interface StepRange<E> extends AttemptOf<E> {
  /** Null where it began at the beginning. */
  readonly above: number | null;
  readonly upTo: number;
}

/** The ranges of a curve that ends with an attempt, the first one first. */
export function rangesUpTo<E>(
  last: AttemptOf<E>,
  continuedFrom: (attempt: AttemptOf<E>) => ContinuedFrom<E> | undefined,
): readonly StepRange<E>[] {
  const ranges: StepRange<E>[] = [];
  // A chain has no circle; what was damaged on a disk may have one.
  const seen = new Set<string>();
  let upTo = Infinity;
  for (let attempt: AttemptOf<E> | undefined = last; attempt !== undefined;) {
    const key = `${attempt.epoch} ${attempt.attempt}`;
    if (seen.has(key)) break;
    seen.add(key);
    const from = continuedFrom(attempt);
    ranges.push({ epoch: attempt.epoch, attempt: attempt.attempt, above: from?.step ?? null, upTo });
    upTo = Math.min(upTo, from?.step ?? upTo);
    attempt = from;
  }
  return ranges.reverse();
}

/** How the measurements of a range are found. */
export interface RangeReader<E, T> {
  count(range: StepRange<E>): number;
  /** Those after the first `offset`, at most `limit`. */
  read(range: StepRange<E>, offset: number, limit: number): readonly T[];
}

/** A page of a curve: measurements after the first `after`, over all ranges, at most `limit`. */
export function pageOf<E, T>(
  ranges: readonly StepRange<E>[],
  after: number,
  limit: number,
  reader: RangeReader<E, T>,
): readonly T[] {
  const page: T[] = [];
  let offset = after;
  for (const [index, range] of ranges.entries()) {
    if (page.length === limit) break;
    const found = reader.read(range, offset, limit - page.length);
    page.push(...found);
    // Only where a whole range is left out has it to be counted.
    const isLast = index === ranges.length - 1;
    offset = found.length > 0 || isLast || offset === 0 ? 0 : Math.max(0, offset - reader.count(range));
  }
  return page;
}
