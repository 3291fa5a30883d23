/**
 * Candidates: points of a space, as plain JSON values.
 *
 * @module
 */

/** A chosen value. `null` is an optional part that was left out. */
export type Value = string | number | boolean | null | Candidate | readonly Value[];

/** The values chosen, by parameter name; nested where the space is. */
export interface Candidate {
  readonly [name: string]: Value;
}
