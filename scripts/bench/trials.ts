/**
 * The search loop through real processes: propose, evaluate, tell, persist.
 *
 * @module
 */
import { SearchFold } from "../../master/experiments/search_fold.ts";
import { type SpecInput, specSchema } from "../../shared/protocol/spec.ts";
import { median, startFleet } from "./fleet.ts";
import type { Figure } from "./kernel.ts";

const ROUNDS = 5;
const TRIALS = 10_000;

const SPEC: SpecInput = {
  name: "trials",
  space: { kind: "cnn", classes: 10 },
  optimizer: { kind: "random" },
  evaluator: { kind: "builtin", name: "noop" },
  objectives: [{ metric: "value", direction: "maximize" }],
  budget: { trials: TRIALS },
  // `noop` measures nothing: that is no reason to pause.
  maxFailures: 0,
};

/** Random search on the CNN space with an empty evaluator: 4 worker processes of 4 slots. */
export async function trialsPerSecond(): Promise<Figure> {
  const fleet = await startFleet({ workers: 4, slots: 4 });
  try {
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const startedMs = performance.now();
      const experiment = await fleet.client.run({ ...SPEC, optimizer: { kind: "random", seed: round } });
      const { trials } = await experiment.wait();
      rates.push(TRIALS / (performance.now() - startedMs) * 1_000);
      if (trials.completed !== TRIALS) throw new Error(`${trials.completed} of ${TRIALS} trials completed`);
    }
    return {
      name: "trials_per_second",
      value: Math.round(median(rates)),
      unit: "trials/s",
      limit: Math.round(proposalsPerSecond()),
      detail:
        `median of ${ROUNDS} searches of ${TRIALS} trials (${
          rates.map(Math.round).join(", ")
        }), CNN space, ` +
        "4 worker processes of 4 slots; limit: proposing and telling alone, in one thread",
    };
  } finally {
    await fleet.stop();
  }
}

function proposalsPerSecond(): number {
  const fold = new SearchFold(specSchema.parse(SPEC));
  const startedMs = performance.now();
  for (let i = 0; i < TRIALS; i++) {
    const trial = fold.next();
    if (typeof trial === "string") throw new Error(`the search says ${trial}`);
    fold.ended(trial.number, { state: "completed", metrics: { value: 0 } }, 1);
  }
  return TRIALS / (performance.now() - startedMs) * 1_000;
}
