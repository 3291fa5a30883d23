/**
 * Failures in a row with one message and no success: something is wrong with the evaluator, not with candidates.
 *
 * @module
 */
import type { Outcome } from "../../shared/model/outcome.ts";

/** Counts them. */
export class FailureStreak {
  readonly #max: number;
  #message = "";
  #count = 0;

  /** @param max so many are too many; 0 for never */
  constructor(max: number) {
    this.#max = max;
  }

  succeeded(): void {
    this.#count = 0;
  }

  /** Another failure. @returns why the experiment is to pause, where it is */
  failed(message: string): string | undefined {
    this.#count = message === this.#message ? this.#count + 1 : 1;
    this.#message = message;
    if (this.#max === 0 || this.#count < this.#max) return undefined;
    this.#count = 0;
    return `${this.#max} failures in a row: ${message}`;
  }
}

/** Of what the evaluator threw each attempt was told; an evaluator that hangs or kills its worker says nothing itself. */
export function isUntoldFault({ cause }: Extract<Outcome, { state: "failed" }>): boolean {
  return cause === "deadline" || cause === "crash";
}
