/**
 * Mutants: faults made on purpose, to see whether a checker notices.
 *
 * Promise: what is shipped has no switches for them. A fault of the source is one small change to a copy of it; a fault
 * of the world stands around the source as it is.
 * Not here: the mutants (the other files of this folder, gathered by catalogue.ts), how they are hunted (hunt.ts).
 *
 * @module
 */
import type { CheckerName } from "../findings.ts";
import type { Mutant as WorldFault } from "../mutant.ts";
import type { Plan } from "../plan.ts";

interface Named {
  /** As it is asked for on the command line. */
  readonly name: string;
  /** The promise that it breaks, by how it breaks it. */
  readonly fault: string;
  /**
   * The checkers whose word counts. A crash does not: code that is broken somewhere else crashes too. That nothing comes
   * to its end counts only where that is the promise.
   */
  readonly caughtBy: readonly CheckerName[];
  /** The faults, work and shapes without which it does nothing. */
  readonly adjust?: (plan: Plan) => Plan;
}

/** A change to the source. */
export interface SourceMutant extends Named {
  /** Relative to the root. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** A change to the world around the source. */
export interface WorldMutant extends Named {
  readonly world: WorldFault;
}

/** A fault made on purpose. */
export type NamedMutant = SourceMutant | WorldMutant;

/** Where the fault is. */
export function placeOf(mutant: NamedMutant): string {
  return "file" in mutant ? mutant.file : "the world around it";
}

/** The changed text of a source file. */
export function mutated(text: string, { name, file, find, replace }: SourceMutant): string {
  const parts = text.split(find);
  if (parts.length === 1) {
    throw new Error(`${name}: the text that this mutant changes is not there any more in ${file}: ${find}`);
  }
  if (parts.length > 2) {
    throw new Error(
      `${name}: the text that this mutant changes is there ${parts.length - 1} times in ${file}: ${find}`,
    );
  }
  return parts.join(replace);
}
