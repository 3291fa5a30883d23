/**
 * Runs the simulator: one seed, to look at it, or a campaign over many.
 *
 * ```
 * deno task simulate --seed 7                 one run: its hash, faults and checks; one that fails is shrunk
 * deno task simulate --seed 7 --trace         every line of it
 * deno task simulate --seed 7 --steps 5000    only the first events
 * deno task simulate --seed 7 --without 3,9   without some events of its schedule (or --only 4,5)
 * deno task simulate --seed 7 --plain calm-disk,one-worker   with a plainer plan
 * deno task simulate --seeds 1-10000          a campaign, over two processes (--jobs), and the directed runs; ends with 1
 *                                             where a promise was broken or something was never met
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { runCampaign, runPart } from "./simulate/campaign.ts";
import { type OneRun, runOne } from "./simulate/one.ts";
import { numbers, plainNames, range } from "./simulate/words_in.ts";

/** As many as most machines have cores to spare. */
const JOBS = 2;

async function main(): Promise<number> {
  const { values } = parseArgs({
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
    if (seeds === undefined) return misused("--seeds takes a range such as 1-2000");
    if (values.part) return runPart(seeds);
    return await runCampaign(seeds, Math.max(1, Number(values.jobs)));
  }
  const without = numbers(values.without);
  const only = numbers(values.only);
  const plain = plainNames(values.plain);
  if (without === "wrong" || only === "wrong") {
    return misused("--without and --only take numbers such as 3,7,9");
  }
  if (plain === "wrong") return misused("--plain takes names such as calm-disk,one-worker");
  const run: OneRun = {
    seed: values.seed ?? "1",
    isTraced: values.trace,
    stepsMax: values.steps === undefined ? Infinity : Number(values.steps),
    without,
    only,
    plain: plain ?? [],
  };
  return runOne(run);
}

function misused(how: string): number {
  console.error(how);
  return 2;
}

if (import.meta.main) Deno.exit(await main());
