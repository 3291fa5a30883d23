/**
 * What the fleets' tests run.
 *
 * @module
 */
import type { SpecInput } from "../../../client/mod.ts";

/** The path of a fixture evaluator. */
export function fixture(name: string): string {
  return new URL(`../../fixtures/fleet/${name}.ts`, import.meta.url).pathname;
}

/** A search whose trials take `ms` on average, from half of it to half as much again. */
export function slowSearch(
  name: string,
  trials: number,
  ms: number,
  more: Partial<SpecInput> = {},
): SpecInput {
  return {
    name,
    space: {
      kind: "parameters",
      parameters: {
        ms: { type: "integer", min: Math.round(ms / 2), max: Math.round(ms * 1.5) },
        x: { type: "real", min: 0, max: 1 },
      },
    },
    optimizer: { kind: "random", seed: 1 },
    evaluator: { kind: "module", path: fixture("slow") },
    objectives: [{ metric: "value", direction: "maximize" }],
    budget: { trials },
    ...more,
  };
}

/** The same with a sleep in the worker, which takes no process; it measures how long it slept. */
export function sleepSearch(
  name: string,
  trials: number,
  ms: number,
  more: Partial<SpecInput> = {},
): SpecInput {
  return slowSearch(name, trials, ms, {
    evaluator: { kind: "builtin", name: "sleep" },
    objectives: [{ metric: "ms", direction: "minimize" }],
    ...more,
  });
}
