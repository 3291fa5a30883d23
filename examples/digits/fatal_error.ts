/**
 * Failures that another attempt would only repeat.
 *
 * @module
 */

/** A failure that is final. The runtime knows it by its name and does not try again. */
export class FatalError extends Error {
  override readonly name = "FatalError";
}
