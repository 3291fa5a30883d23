/**
 * Campaigns and runs in words.
 *
 * @module
 */
import type { Campaign } from "./campaign.ts";
import { FAULTS } from "./faults.ts";
import { CHECKERS } from "./findings.ts";
import { SCENARIOS } from "./scenarios.ts";
import type { Shrunk } from "./shrink.ts";
import type { Report } from "./simulation.ts";
import type { Counts } from "./tally.ts";

/** Lines of the trace that are shown with a violation. */
const TAIL_SHOWN = 60;
const NAME_WIDTH = 28;

/** The table of a campaign. @param elapsedMs on the machine's clock, all processes side by side */
export function campaignWords({ seeds, directed }: Campaign, elapsedMs: number): readonly string[] {
  const rows = (
    title: string,
    names: Readonly<Record<string, string>>,
    of: "faults" | "scenarios" | "checkers",
  ) => [
    "",
    title.padEnd(NAME_WIDTH) + "   seeds      %       times  directed",
    ...Object.keys(names).map((name) => row(name, seeds[of], directed[of], seeds.seeds)),
  ];
  const seconds = elapsedMs / 1_000;
  const ratio = seeds.virtualMs / Math.max(1, seeds.realMs);
  return [
    ...rows("fault", FAULTS, "faults"),
    ...rows("scenario", SCENARIOS, "scenarios"),
    ...rows("checker", CHECKERS, "checkers"),
    "",
    `${seeds.seeds} seeds in ${seconds.toFixed(1)} s: ${(seeds.seeds / seconds).toFixed(1)} a second, ` +
    `${(seeds.virtualMs / 3_600_000).toFixed(1)} h of virtual time, ${seeds.events} events`,
    `virtual time ran ${Math.round(ratio)} times faster than real time in each process, ` +
    `${Math.round(seeds.virtualMs / Math.max(1, elapsedMs))} times in all`,
  ];
}

function row(name: string, seeds: Counts, directed: Counts, of: number): string {
  const { runs = 0, times = 0 } = seeds[name] ?? {};
  const percent = (runs / Math.max(1, of) * 100).toFixed(2);
  const byHand = directed[name]?.runs ?? 0;
  return name.padEnd(NAME_WIDTH) + String(runs).padStart(8) + percent.padStart(8) +
    String(times).padStart(11) +
    (byHand === 0 ? "" : String(byHand).padStart(10));
}

/** What a run broke, and the end of its trace. */
export function violationWords({ seed, violations, tail }: Report, linesMax = TAIL_SHOWN): readonly string[] {
  return [
    ...tail.slice(tail.length - Math.min(tail.length, linesMax)).map((line) => `  ${line}`),
    ...violations.map(({ checker, message, atMs }) =>
      `seed ${seed}: ${checker} is broken at ${atMs.toFixed(3)} ms: ${message}`
    ),
  ];
}

/** The shortest schedule that still breaks the promise, and how to run it again. */
export function shrunkWords(
  seed: string,
  { report, only, simpler, runs, isWhole }: Shrunk,
): readonly string[] {
  const options = [
    `--seed ${seed}`,
    `--only ${only.length === 0 ? "none" : only.join(",")}`,
    ...simpler.length === 0 ? [] : [`--plain ${simpler.join(",")}`],
    "--trace",
  ];
  return [
    `seed ${seed}: after ${runs} runs ${isWhole ? "" : "(the limit) "}it needs ${only.length} events:`,
    ...report.happened.map(({ number, atMs, words }) =>
      `  ${String(number).padStart(4)}  ${(atMs / 1_000).toFixed(3).padStart(9)} s  ${words}`
    ),
    ...simpler.length === 0 ? [] : [`  with ${simpler.join(", ")}`],
    `again: deno task simulate ${options.join(" ")}`,
  ];
}
