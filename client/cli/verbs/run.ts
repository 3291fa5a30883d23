/**
 * `run` and `wait`: an experiment from its spec to its end.
 *
 * With a master named, `run` submits to it. Without one it starts a master in this process and workers beside it, and
 * goes on where an earlier run in the same data folder was stopped.
 *
 * @module
 */
import { Argument, type Command, Option } from "commander";
import { UNPACK_ENTRIES_MAX } from "../../../shared/platform/tar_unpack.ts";
import { SLOTS_MAX } from "../../../shared/protocol/limits.ts";
import { gather, wholeNumber } from "../arguments.ts";
import { CODE_BYTES_MAX, CODE_ENTRIES_MAX } from "../code_list.ts";
import { showCode } from "../code_show.ts";
import type { AskOptions, CliContext } from "../context.ts";
import { UsageError } from "../failure.ts";
import { whyNoResult } from "../no_result.ts";
import { outputOption } from "../output.ts";
import { memoryAmount } from "../quantities.ts";
import { isExperiment, parseSelection } from "../selection.ts";
import { runLocally } from "../run_locally.ts";
import { mastersOf, withClient, withMasterOptions } from "../session.ts";
import { limitsOf, runOnMaster, type RunOptions } from "../run_on_master.ts";
import { loadSpec } from "../spec_file.ts";
import { printEnd } from "../run_end.ts";
import { PauseWatch, watchExperiment } from "../watch.ts";
import { waitForSelections } from "../wait_selections.ts";

/** More local processes than this are a mistake. */
const LOCAL_WORKERS_MAX = 256;

/** Adds the verbs. */
export function addRunVerbs(program: Command, context: CliContext): void {
  withMasterOptions(program.command("run"))
    .description("run an experiment, on a master or with a master and workers of its own")
    .argument("<spec>", "a YAML or JSON file, or a TypeScript module")
    .option("--set <path=value>", "change the spec, such as budget.trials=20 (may be repeated)", gather)
    .option("--detach", "with a master: do not wait for the end")
    .option("--list-code", "only list which files of the spec's folder travel to the workers")
    .addOption(
      new Option("--code-limit <amount>", "how much of the spec's folder may travel")
        .argParser(memoryAmount).default(CODE_BYTES_MAX, "64MiB"),
    )
    .option(
      "--code-files-limit <n>",
      "how many files may",
      wholeNumber(1, UNPACK_ENTRIES_MAX),
      CODE_ENTRIES_MAX,
    )
    .option(
      "--workers <n>",
      "without a master: processes to evaluate with",
      wholeNumber(1, LOCAL_WORKERS_MAX),
    )
    .option("--slots <n>", "without a master: attempts at a time of each", wholeNumber(1, SLOTS_MAX))
    .option(
      "--port <port>",
      "without a master: where to listen; 0 takes a free port",
      wholeNumber(0, 65_535),
      0,
    )
    .addOption(outputOption())
    .action((file: string, options: RunOptions) => run(file, options, context));
  withMasterOptions(program.command("wait"))
    .description("wait for the end of experiments, or of submitted tasks")
    .addArgument(
      new Argument(
        "[selection...]",
        'ids of experiments or groups, with "/7" or "/1-10" for tasks of one; "all" are the experiments that are not over',
      ).default(["last"], "the newest experiment"),
    )
    .addOption(outputOption())
    .action((ids: readonly string[], options: AskOptions) => wait(ids, options, context));
}

async function run(file: string, options: RunOptions, context: CliContext): Promise<void> {
  const loaded = await loadSpec(file, options.set);
  if (!loaded.ok) throw new UsageError(loaded.problems.join("\n"));
  if (options.listCode === true) return await showCode(loaded, limitsOf(options), options.output, context);
  const isRemote = mastersOf(options, context.terminal) !== undefined;
  if (isRemote && (options.workers !== undefined || options.slots !== undefined)) {
    throw new UsageError(
      "--workers and --slots are for a run without a master: leave them out, or leave out --master",
    );
  }
  if (isRemote) return await runOnMaster(loaded, options, context);
  await runLocally(loaded, options, context);
}

async function wait(ids: readonly string[], options: AskOptions, context: CliContext): Promise<void> {
  const [id = "last", ...others] = ids;
  await withClient(options, context.terminal, async (client) => {
    const isOne = others.length === 0 && id !== "all" && parseSelection(id).tasks === undefined;
    if (!isOne || !await isExperiment(client, id)) {
      return await waitForSelections(client, ids, options, context);
    }
    const pauses = new PauseWatch();
    const handle = await client.experiment(id, { onState: (state, reason) => pauses.onState(state, reason) });
    const summary = await watchExperiment(client, handle, pauses, context.terminal);
    printEnd({ summary, noResult: await whyNoResult(client, summary) }, options.output, context);
  });
}
