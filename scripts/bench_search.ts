/**
 * The benchmark of search: how good optimizers are where every candidate's worth is known; `--help` tells how it is used.
 *
 * @module
 */
import { parse } from "yaml";
import { type OptimizerOptions, optimizerSchema } from "../shared/model/optimizer_options.ts";
import { asked, misused, wholeNumber } from "./asked.ts";
import { ANALYTIC_PROBLEMS } from "./bench/search_analytic.ts";
import type { SearchProblem } from "./bench/search_problem.ts";
import { type MeasuredOptimizer, rowsOf, type SearchRow, tableOf } from "./bench/search_report.ts";
import { runSearch } from "./bench/search_run.ts";
import { NAS_BENCH_201, nasBench201, TABLE_VARIABLE } from "./bench/search_table_file.ts";

/** All optimizers on NAS-Bench-201, in a minute or a few. */
const DEFAULTS = { space: NAS_BENCH_201, seeds: "30", trials: "200", workers: "1" } as const;

/** What every other optimizer is set beside. */
const BASELINE = "random";

const KINDS = optimizerSchema.options.map((option) => option.shape.kind.value);
const SPACES = [DEFAULTS.space, ...Object.keys(ANALYTIC_PROBLEMS)];

const USAGE = `Runs searches where every candidate's worth is known, and sets them beside random search.

deno task bench:search                              every optimizer on NAS-Bench-201, ${DEFAULTS.seeds} seeds, ${DEFAULTS.trials} trials
deno task bench:search --space mixed                on another space, or on several: ${SPACES.join(", ")}
deno task bench:search --optimizer genetic          some: ${KINDS.join(", ")}
deno task bench:search --optimizer '{kind: genetic, population: 20}'
                                                    with options, as a spec has them
deno task bench:search --seeds 100 --trials 400     more of each
deno task bench:search --workers 16                 asynchronously: as many workers, each trial takes its own time
deno task bench:search --data FILE                  the table of NAS-Bench-201, .csv or .csv.gz (or ${TABLE_VARIABLE});
                                                    without it, a synthetic twin stands in
deno task bench:search --output json                as JSON, with each search and when it found what

best: mean and deviation over the seeds of the best value that a search found. regret: how far it is from the best that
there is. test regret: the same for the test accuracy of the candidate that it chose. won: the share of seeds on which it
is better than random search; a tie is half a win. hours, busy: on the virtual clock, busy until the last trial begins.`;

async function main(): Promise<void> {
  const { values } = asked(USAGE, {
    options: {
      space: { type: "string", multiple: true, default: [DEFAULTS.space] },
      optimizer: { type: "string", multiple: true, default: KINDS },
      seeds: { type: "string", default: DEFAULTS.seeds },
      trials: { type: "string", default: DEFAULTS.trials },
      workers: { type: "string", default: DEFAULTS.workers },
      data: { type: "string" },
      output: { type: "string", default: "table" },
    },
  });
  const seeds = wholeNumber(USAGE, "--seeds", values.seeds, 1);
  const trials = wholeNumber(USAGE, "--trials", values.trials, 1);
  const workers = wholeNumber(USAGE, "--workers", values.workers, 1);
  const asJson = values.output === "json";
  if (!asJson && values.output !== "table") {
    misused(USAGE, `--output takes table or json, not "${values.output}"`);
  }
  const optimizers = values.optimizer.map(optimizerOf);
  const unknown = values.space.filter((name) => !SPACES.includes(name));
  if (unknown.length > 0) misused(USAGE, `there is no space ${unknown.join(", ")}`);
  if (values.data !== undefined && !values.space.includes(NAS_BENCH_201)) {
    misused(USAGE, `--data is the table of ${NAS_BENCH_201}, which is not measured`);
  }
  const reports: unknown[] = [];
  for (const name of values.space) {
    const problem = await problemOf(name, values.data);
    const rows = measured(problem, optimizers, seeds, { trials, workers });
    reports.push({ space: problem.name, optimum: problem.optimum, seeds, trials, workers, rows });
    if (!asJson) {
      console.log(
        `${problem.name}: optimum ${problem.optimum.toFixed(4)}; seeds ${seeds}, workers ${workers}`,
      );
      console.log(tableOf(rows).join("\n") + "\n");
    }
  }
  if (asJson) console.log(JSON.stringify(reports, undefined, 2));
}

async function problemOf(name: string, data: string | undefined): Promise<SearchProblem> {
  const analytic = ANALYTIC_PROBLEMS[name];
  if (analytic !== undefined) return analytic;
  try {
    return await nasBench201(data, (text) => console.error(`note: ${text}`));
  } catch (error) {
    return misused(USAGE, error instanceof Error ? error.message : String(error));
  }
}

/** An optimizer, and what the user called it. */
interface NamedOptimizer {
  readonly name: string;
  readonly options: OptimizerOptions;
}

/** @param text a kind, or options as a spec has them */
function optimizerOf(text: string): NamedOptimizer {
  const parsed = optimizerSchema.safeParse(text.trimStart().startsWith("{") ? yamlOf(text) : { kind: text });
  if (parsed.success) return { name: text, options: parsed.data };
  const why = parsed.error.issues.map(({ path, message }) => [...path, message].join(": ")).join("; ");
  return misused(USAGE, `--optimizer ${text}: ${why}`);
}

function yamlOf(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    return misused(USAGE, `--optimizer ${text}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Random search is measured in any case: it is what the others are set beside. */
function measured(
  problem: SearchProblem,
  optimizers: readonly NamedOptimizer[],
  seeds: number,
  size: { readonly trials: number; readonly workers: number },
): readonly SearchRow[] {
  const measure = ({ name, options }: NamedOptimizer): MeasuredOptimizer => {
    const startedMs = performance.now();
    const runs = Array.from({ length: seeds }, (_, seed) => runSearch(problem, options, { seed, ...size }));
    const trials = runs.reduce((sum, run) => sum + run.trials, 0);
    return { optimizer: name, runs, msPerTrial: (performance.now() - startedMs) / trials };
  };
  const random = measure(optimizerOf(BASELINE));
  const others = optimizers.filter(({ name }) => name !== BASELINE);
  return rowsOf([random, ...others.map(measure)], random.runs);
}

if (import.meta.main) await main();
