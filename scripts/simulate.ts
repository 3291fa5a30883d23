/**
 * Runs the simulator: one seed, to look at it, or a campaign over many; `--help` tells how.
 *
 * @module
 */
import { PLAIN } from "../tests/simulation/plain.ts";
import { asked, misused, wholeNumber } from "./asked.ts";
import { runCampaign, runPart } from "./simulate/campaign.ts";
import { runOne } from "./simulate/one.ts";
import { numbers, plainNames, range } from "./simulate/words_in.ts";

/** As many as most machines have cores to spare. */
const JOBS = 2;
const SEED = "1";

const PLAIN_NAMES = Object.keys(PLAIN);

const USAGE = `Runs whole masters, workers and clients on virtual time, with faults, and checks every promise.

deno task simulate --seed 7                 one run: its hash, faults and checks; one that fails is shrunk
deno task simulate --seed 7 --trace         every line of it
deno task simulate --seed 7 --steps 5000    only the first events
deno task simulate --seed 7 --without 3,9   without some events of its schedule (or --only 4,5, or --only none)
deno task simulate --seed 7 --plain ${PLAIN_NAMES.slice(0, 2).join(",")}
                                            with a plainer plan: ${PLAIN_NAMES.join(", ")}
deno task simulate --seeds 1-10000          a campaign with the directed runs, over ${JOBS} processes (--jobs)

Ends with 0 where every promise held, 1 where one was broken (or, in a campaign, something was never met), 2 for wrong
usage. docs/correctness.md says what is checked, tests/simulation/README.md what is where.`;

async function main(): Promise<number> {
  const { values } = asked(USAGE, {
    options: {
      seed: { type: "string" },
      seeds: { type: "string" },
      jobs: { type: "string", default: String(JOBS) },
      part: { type: "boolean", default: false },
      trace: { type: "boolean", default: false },
      steps: { type: "string" },
      without: { type: "string" },
      only: { type: "string" },
      plain: { type: "string" },
    },
  });
  if (values.seeds !== undefined) {
    const seeds = range(values.seeds);
    if (seeds === undefined) return misused(USAGE, "--seeds takes a range such as 1-2000");
    if (values.seed !== undefined) return misused(USAGE, "--seed is one run, --seeds a campaign: name one");
    if (values.part) return runPart(seeds);
    return await runCampaign(seeds, wholeNumber(USAGE, "--jobs", values.jobs, 1));
  }
  const without = numbers(values.without);
  const only = numbers(values.only);
  const plain = plainNames(values.plain);
  if (without === "wrong" || only === "wrong") {
    return misused(USAGE, "--without and --only take numbers such as 3,7,9, or none");
  }
  if (plain === "wrong") return misused(USAGE, `--plain takes some of ${PLAIN_NAMES.join(", ")}`);
  return runOne({
    seed: values.seed ?? SEED,
    isTraced: values.trace,
    stepsMax: values.steps === undefined ? Infinity : wholeNumber(USAGE, "--steps", values.steps, 1),
    without,
    only,
    plain: plain ?? [],
  });
}

if (import.meta.main) Deno.exit(await main());
