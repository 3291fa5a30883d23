/**
 * The benchmark; `--help` tells how it is used.
 *
 * Each figure stands beside the platform's own for the same work, measured in the same run.
 *
 * @module
 */
import { asked, misused } from "./asked.ts";
import { artifacts } from "./bench/artifacts.ts";
import { envelopesPerSecond } from "./bench/envelopes.ts";
import { idleMaster, reassignAfterFreeze, reassignAfterKill } from "./bench/fleet_life.ts";
import { executorOverheads } from "./bench/executors.ts";
import { type Figure, kernelMessagesPerSecond } from "./bench/kernel.ts";
import { storeCommitsPerSecond } from "./bench/store.ts";
import { efficiency, emptyTasks, roundTrip } from "./bench/tasks.ts";
import { trialsPerSecond } from "./bench/trials.ts";

const BENCHMARKS: Readonly<Record<string, () => Promise<Figure | readonly Figure[]>>> = {
  envelopes_per_second: envelopesPerSecond,
  kernel_messages_per_second: kernelMessagesPerSecond,
  store_commits_per_second: storeCommitsPerSecond,
  empty_tasks_per_second: () => emptyTasks("empty_tasks_per_second"),
  empty_tasks_per_second_unpipelined: () => emptyTasks("empty_tasks_per_second_unpipelined", 0),
  round_trip: roundTrip,
  efficiency_100ms_50_slots: () => efficiency("efficiency_100ms_50_slots", 5, 10),
  efficiency_100ms_50_workers: () => efficiency("efficiency_100ms_50_workers", 50, 1),
  trials_per_second: trialsPerSecond,
  executor_overheads: executorOverheads,
  idle_master: idleMaster,
  reassign_median_ms: reassignAfterKill,
  refreeze_seconds: reassignAfterFreeze,
  artifacts,
};

const USAGE = `Measures, with real processes and every result durable, beside what the platform alone does.

deno task bench                      all figures, in about eight minutes on two cores
deno task bench round_trip           some: ${Object.keys(BENCHMARKS).join(", ")}
deno task bench --output json        as JSON

Trust ratios: machines differ and are noisy, and what else runs on this one is measured with it.`;

const { values, positionals: names } = asked(USAGE, {
  options: { output: { type: "string", default: "table" } },
  allowPositionals: true,
});
const asJson = values.output === "json";
if (!asJson && values.output !== "table") {
  misused(USAGE, `--output takes table or json, not "${values.output}"`);
}
const unknown = names.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) misused(USAGE, `there is no figure ${unknown.join(", ")}`);
const figures: Figure[] = [];
for (const [name, measure] of Object.entries(BENCHMARKS)) {
  if (names.length > 0 && !names.includes(name)) continue;
  for (const figure of [await measure()].flat()) {
    figures.push(figure);
    if (!asJson) {
      console.log(
        `${figure.name}: ${figure.value} ${figure.unit} (platform alone: ${figure.limit})\n  ${figure.detail}`,
      );
    }
  }
}
if (asJson) console.log(JSON.stringify(figures, undefined, 2));
