/**
 * A campaign over several processes: seeds in parts, and all directed runs.
 *
 * @module
 */
import { type Campaign, neverMet, runDirected, runSeeds } from "../../tests/simulation/campaign.ts";
import { campaignWords, violationWords } from "../../tests/simulation/campaign_words.ts";
import { type Report, simulate } from "../../tests/simulation/simulation.ts";
import { addTally, emptyTally, type Tally } from "../../tests/simulation/tally.ts";
import { showFailure } from "./one.ts";

/** So many failing seeds are shrunk; of the others only the violations are shown. */
const SHRUNK_MAX = 3;
/** Seeds that a part takes at once: parts that got slow ones do not hold up the others. */
const SEEDS_AT_ONCE = 250;
/** What stands before a part's tally on its output. */
const TALLY_MARK = "tally ";

const now = () => performance.now();

/** Runs a campaign and shows what it met. @returns the exit code */
export async function runCampaign(seeds: readonly string[], jobs: number): Promise<number> {
  const startedMs = now();
  const { tally: total, isWhole } = await runParts(seeds, jobs);
  const elapsedMs = now() - startedMs;
  const campaign: Campaign = { seeds: total, ...runDirected(now) };
  for (const line of campaignWords(campaign, elapsedMs)) console.log(line);
  for (const seed of total.broken.slice(0, SHRUNK_MAX)) showFailure(simulate(seed), true);
  return verdict(campaign, isWhole);
}

/**
 * Runs seeds in several processes side by side; what they break is written to the standard error output.
 *
 * @returns what they met, and whether all of them came to their end
 */
export async function runParts(
  seeds: readonly string[],
  jobs: number,
): Promise<{ readonly tally: Tally; readonly isWhole: boolean }> {
  const total = emptyTally();
  const waiting: (readonly string[])[] = [];
  const share = Math.max(1, Math.min(SEEDS_AT_ONCE, Math.ceil(seeds.length / jobs)));
  for (let from = 0; from < seeds.length; from += share) waiting.push(seeds.slice(from, from + share));
  let isWhole = true;
  const work = async () => {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
      const tally = await runElsewhere(part);
      if (tally === undefined) isWhole = false;
      else addTally(total, tally);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return { tally: total, isWhole };
}

/** Runs some seeds and tells the tally to whoever started this process. @returns the exit code */
export function runPart(seeds: readonly string[]): number {
  const broke = (report: Report) => {
    for (const line of violationWords(report, 0)) console.error(line);
  };
  console.log(TALLY_MARK + JSON.stringify(runSeeds(seeds, now, broke)));
  return 0;
}

async function runElsewhere(seeds: readonly string[]): Promise<Tally | undefined> {
  const script = new URL("../simulate.ts", import.meta.url).pathname;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, "--part", "--seeds", `${seeds[0]}-${seeds.at(-1)}`],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  const line = new TextDecoder().decode(stdout).split("\n").find((each) => each.startsWith(TALLY_MARK));
  if (code === 0 && line !== undefined) return JSON.parse(line.slice(TALLY_MARK.length));
  console.error(`the part ${seeds[0]}-${seeds.at(-1)} ended with ${code}`);
  return undefined;
}

function verdict(campaign: Campaign, isWhole: boolean): number {
  const missing = neverMet(campaign);
  const { broken } = campaign.seeds;
  for (const each of missing) console.log(`never met often enough: ${each}`);
  for (const each of campaign.failures) console.log(`directed run: ${each}`);
  console.log(broken.length === 0 ? "every promise held" : `broken: ${broken.join(" ")}`);
  const isGood = isWhole && broken.length === 0 && missing.length === 0 && campaign.failures.length === 0;
  return isGood ? 0 : 1;
}
