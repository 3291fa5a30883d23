/**
 * Settings: how a candidate wants to be trained, checked.
 *
 * @module
 */
import { FatalError } from "./fatal_error.ts";
import type { OptimizerKind } from "./optimizer.ts";

/** The part of a candidate that is not its architecture. */
export interface Settings {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerKind;
}

/** What holds where a candidate does not say otherwise. */
export const DEFAULTS: Settings = { learningRate: 0.003, batchSize: 32, optimizer: "adam" };

/**
 * The settings of a candidate: its values `learning_rate`, `batch_size` and `optimizer`.
 *
 * @throws FatalError where one of them makes no sense
 */
export function settingsOf(candidate: Readonly<Record<string, unknown>>): Settings {
  return {
    learningRate: readNumber(candidate, "learning_rate", DEFAULTS.learningRate, (rate) => rate > 0),
    batchSize: readNumber(
      candidate,
      "batch_size",
      DEFAULTS.batchSize,
      (size) => Number.isInteger(size) && size > 0,
    ),
    optimizer: readOptimizer(candidate.optimizer ?? DEFAULTS.optimizer),
  };
}

function readNumber(
  candidate: Readonly<Record<string, unknown>>,
  name: string,
  otherwise: number,
  isSensible: (value: number) => boolean,
): number {
  const value = candidate[name] ?? otherwise;
  if (typeof value === "number" && Number.isFinite(value) && isSensible(value)) return value;
  throw new FatalError(`${name} is ${JSON.stringify(value)}, which no training can use`);
}

function readOptimizer(value: unknown): OptimizerKind {
  if (value === "adam" || value === "sgd") return value;
  throw new FatalError(`optimizer is ${JSON.stringify(value)}; this evaluator knows adam and sgd`);
}
