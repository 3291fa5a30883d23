/**
 * Runs the simulator: one seed, to look at it, or a campaign over many.
 *
 * ```
 * deno task simulate --seed 7              one run: its hash, faults and checks
 * deno task simulate --seed 7 --trace      every line of it
 * deno task simulate --seeds 1-2000        a campaign; stops at nothing, ends with 1 where a promise was broken
 * deno task simulate --seed 7 --steps 5000 only the first events
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Report, simulate } from "../tests/simulation/simulation.ts";

/** Lines of the trace that are shown with a violation. */
const TAIL_SHOWN = 60;

function main(): number {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      seeds: { type: "string" },
      trace: { type: "boolean", default: false },
      steps: { type: "string" },
    },
  });
  const seeds = values.seeds === undefined ? [values.seed ?? "1"] : range(values.seeds);
  if (seeds === undefined) {
    console.error("--seeds takes a range such as 1-2000");
    return 2;
  }
  const startedMs = performance.now();
  const broken: string[] = [];
  for (const seed of seeds) {
    const report = simulate(seed, {
      ...(values.trace ? { print: (line) => console.log(line) } : {}),
      ...(values.steps === undefined ? {} : { stepsMax: Number(values.steps) }),
    });
    if (report.violations.length > 0) broken.push(seed);
    if (seeds.length === 1) showOne(report);
    else if (report.violations.length > 0) showViolations(report, false);
  }
  if (seeds.length > 1) {
    const seconds = (performance.now() - startedMs) / 1_000;
    console.log(
      `${seeds.length} seeds in ${seconds.toFixed(1)} s, ${(seeds.length / seconds).toFixed(1)} a second`,
    );
    console.log(broken.length === 0 ? "every promise held" : `broken: ${broken.join(" ")}`);
  }
  return broken.length === 0 ? 0 : 1;
}

function range(text: string): readonly string[] | undefined {
  const match = /^(\d+)-(\d+)$/.exec(text);
  if (match === null) return undefined;
  const from = Number(match[1]);
  return Array.from({ length: Math.max(0, Number(match[2]) - from + 1) }, (_, index) => String(from + index));
}

function showOne(report: Report): void {
  const { seed, hash, steps, virtualMs, faults, looked } = report;
  console.log(
    `seed ${seed}: hash ${hash}, ${steps} events, ${(virtualMs / 1_000).toFixed(1)} s of virtual time`,
  );
  console.log(`faults: ${counts(faults) || "none"}`);
  console.log(`checks: ${counts(looked)}`);
  if (report.violations.length > 0) showViolations(report, true);
  else console.log("every promise held");
}

function showViolations({ seed, violations, tail }: Report, withTail: boolean): void {
  if (withTail) { for (const line of tail.slice(-TAIL_SHOWN)) console.log(`  ${line}`); }
  for (const { checker, message, atMs } of violations) {
    console.log(`seed ${seed}: ${checker} is broken at ${atMs.toFixed(3)} ms: ${message}`);
  }
}

function counts(of: Readonly<Record<string, number>>): string {
  return Object.entries(of).map(([name, count]) => `${name} ${count}`).join(", ");
}

if (import.meta.main) Deno.exit(main());
