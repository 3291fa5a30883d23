/**
 * The demo: a whole search, from its spec to the test accuracy of what it found.
 *
 * It has no privilege: it runs examples/digits with the command line, as any user would, and then judges the best
 * network once on images that the search has never seen. Ctrl-C stops it; run again, it goes on where it stopped, in the
 * search as in the training after it.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { architectureOf } from "../client/cli/architecture.ts";
import { loadSpec } from "../client/cli/spec_file.ts";
import { finalTest } from "../examples/digits/evaluate.ts";
import { describeArchitecture } from "../shared/space/describe_architecture.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const SPEC = fileURLToPath(new URL("../examples/digits/experiment.yaml", import.meta.url));
/** Where the demo keeps everything. */
const DATA_FOLDER = "./espalier-data/demo";
/** What a search found that has not been judged yet. */
const UNJUDGED = `${DATA_FOLDER}/unjudged.json`;
/** Two processes with a slot each: what any laptop has cores for. */
const WORKERS = ["--workers", "2", "--slots", "1"];
/** For the training after the search. */
const FINAL_SEED = 1;

/** What `run --output json` prints, as far as the demo reads it. */
const summarySchema = z.looseObject({
  experiment: z.string(),
  state: z.string(),
  seconds: z.number(),
  trials: z.record(z.string(), z.number()),
  best: z.looseObject({
    trial: z.number(),
    metrics: z.record(z.string(), z.number()),
    candidate: z.record(z.string(), z.unknown()),
  }).nullable(),
});
type Summary = z.output<typeof summarySchema>;
/** The exit code of a search, and what it printed. */
interface Searched {
  readonly code: number;
  readonly summary: Summary | undefined;
}
type Best = NonNullable<Summary["best"]>;

/** @returns the exit code */
async function demo(stopped: AbortSignal): Promise<number> {
  console.log(
    "A search for a small network that reads handwritten digits: 40 candidates, about two minutes.\n",
  );
  const { code, summary } = await readUnjudged() ?? await search();
  if (summary === undefined) return code;
  console.log(describeSummary(summary));
  if (summary.best === null || code !== 0) return code;
  await Deno.writeTextFile(UNJUDGED, JSON.stringify(summary));
  try {
    await judge(summary.best, stopped);
  } finally {
    if (!stopped.aborted) await Deno.remove(UNJUDGED);
  }
  console.log(whereResultsAre());
  return code;
}

/** The search of an earlier demo that was stopped after it. */
async function readUnjudged(): Promise<Searched | undefined> {
  try {
    return { code: 0, summary: summarySchema.parse(JSON.parse(await Deno.readTextFile(UNJUDGED))) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Runs the experiment; its progress goes to the terminal. */
async function search(): Promise<Searched> {
  const run = ["run", SPEC, "--data", DATA_FOLDER, ...WORKERS, "--output", "json"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN, ...run],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  // Ctrl-C reaches the child by itself, since it is of this process's group; another signal does not.
  const pass = () => child.kill("SIGTERM");
  Deno.addSignalListener("SIGTERM", pass);
  const { code, stdout } = await child.output();
  Deno.removeSignalListener("SIGTERM", pass);
  const text = new TextDecoder().decode(stdout).trim();
  return { code, summary: text === "" ? undefined : summarySchema.parse(JSON.parse(text)) };
}

/** Draws the best architecture, trains it again, and prints how well it does on the test part. */
async function judge({ trial, candidate, metrics }: Best, stopped: AbortSignal): Promise<void> {
  const loaded = await loadSpec(SPEC);
  const architecture = loaded.ok ? architectureOf(loaded.spec.space, candidate) : undefined;
  if (architecture === undefined) throw new Error(`trial ${trial} decodes to no architecture`);
  console.log(`\nThe best architecture (trial ${trial}):\n\n${describeArchitecture(architecture)}\n`);
  console.log("Training it once more, for longer, to judge it on images that the search has never seen ...");
  const context = { architecture, seed: FINAL_SEED, trial, attempt: 1, signal: stopped, report: () => {} };
  const { test_accuracy: accuracy } = await finalTest(candidate, context);
  console.log(`\nvalidation accuracy  ${format(metrics["accuracy"])}   (what the search saw)`);
  console.log(`test accuracy        ${format(accuracy)}`);
}

function describeSummary({ experiment, state, seconds, trials }: Summary): string {
  const counts = Object.entries(trials).filter(([, count]) => count > 0).map(([name, count]) =>
    `${count} ${name}`
  );
  return `${experiment} is ${state} after ${Math.round(seconds)} s: ${counts.join(", ")} trials`;
}

function whereResultsAre(): string {
  const data = `--data ${DATA_FOLDER}`;
  return [
    `\nEverything is kept in ${DATA_FOLDER}. To look at it, start a master there and ask it:`,
    `  deno task master ${data}`,
    `  deno task espalier trials ${data}    (or show, best, export)`,
  ].join("\n");
}

function format(accuracy: number | undefined): string {
  return accuracy === undefined ? "-" : accuracy.toFixed(4);
}

if (import.meta.main) {
  const stop = new AbortController();
  // The first one is the search's or the training's to end; this process follows it.
  Deno.addSignalListener("SIGINT", () => stop.abort(new Error("stopped")));
  try {
    Deno.exit(await demo(stop.signal));
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    console.error("stopped");
    Deno.exit(130);
  }
}
