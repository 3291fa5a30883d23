/**
 * `workers`, `stop`, `explain`, `backup`: the master and its machines.
 *
 * @module
 */
import { resolve } from "node:path";
import { Argument, type Command } from "commander";
import type { WorkerLive } from "../../../shared/model/live.ts";
import { spanOption } from "../arguments.ts";
import type { AskOptions, CliContext } from "../context.ts";
import { outputOption, printAnswer } from "../output.ts";
import { mastersOf, withClient, withMasterOptions } from "../session.ts";
import { formatBytes, table } from "../table.ts";

/** How long what runs has to finish when a worker or the master is stopped, unless told. */
export const STOP_GRACE_DEFAULT_MS = 10_000;

/** Adds the verbs. */
export function addFleetVerbs(program: Command, context: CliContext): void {
  const { terminal } = context;
  withMasterOptions(program.command("workers"))
    .description("list the workers")
    .addOption(outputOption())
    .action(async (options: AskOptions) => {
      const workers = await withClient(options, terminal, (client) => client.workers());
      printAnswer(terminal, options.output, {
        json: workers,
        table: () => workersTable(workers),
        quiet: () => workers.map(({ id }) => id).join("\n"),
      });
    });
  withMasterOptions(program.command("stop"))
    .description("stop a worker, or the master")
    .addArgument(new Argument("<target>", 'a worker\'s name, or "master"'))
    .addOption(spanOption("--grace <duration>", "how long what runs has to finish", STOP_GRACE_DEFAULT_MS))
    .addOption(outputOption())
    .action(async (target: string, options: AskOptions & { readonly grace: number }) => {
      await withClient(options, terminal, (client) => client.stop(target, options.grace));
      printAnswer(terminal, options.output, {
        json: { stopping: target },
        table: () => `${target} is stopping`,
        quiet: () => "",
      });
    });
  withMasterOptions(program.command("explain"))
    .description("say why a task is where it is")
    .addArgument(new Argument("<task>", "<experiment>/<trial>, such as digits-1/7 or last/7"))
    .addOption(outputOption())
    .action((task: string, options: AskOptions) => explain(task, options, context));
  withMasterOptions(program.command("backup"))
    .description("copy the master's store while it is in use")
    .addArgument(new Argument("<path>", "the file to write, on the master's machine"))
    .addOption(outputOption())
    .action((path: string, options: AskOptions) => backup(path, options, context));
}

async function explain(task: string, options: AskOptions, { terminal }: CliContext): Promise<void> {
  const explanation = await withClient(options, terminal, async (client) => {
    const number = /^last\/(.+)$/.exec(task)?.[1];
    return await client.explain(
      number === undefined ? task : `${(await client.show("last")).experiment}/${number}`,
    );
  });
  printAnswer(terminal, options.output, {
    json: explanation,
    table: () => `${explanation.task} is ${explanation.state}: ${explanation.explanation}`,
    quiet: () => explanation.state,
  });
}

async function backup(path: string, options: AskOptions, { terminal }: CliContext): Promise<void> {
  // A master elsewhere has folders of its own; one on this machine may have been started in another.
  const target = mastersOf(options, terminal) === undefined ? resolve(path) : path;
  const { bytes } = await withClient(options, terminal, (client) => client.backup(target));
  printAnswer(terminal, options.output, {
    json: { path: target, bytes },
    table: () => `${target}: ${formatBytes(bytes)}`,
    quiet: () => target,
  });
}

function workersTable(workers: readonly WorkerLive[]): string {
  if (workers.length === 0) {
    return "no workers; start one with: espalier worker --master URL --token-file FILE_WITH_THE_WORKER_TOKEN";
  }
  return table(
    ["WORKER", "STATE", "SLOTS", "RUNNING", "QUEUED", "CPU", "MEMORY", "HOST"],
    workers.map(({ id, state, slots, running, queued, vitals, facts, probation }) => [
      id,
      probation === null ? state : `${state}, on probation: ${probation}`,
      String(slots),
      String(running),
      String(queued),
      vitals === null || vitals.cpuPercent === null ? "-" : `${Math.round(vitals.cpuPercent)}%`,
      vitals === null || vitals.memoryUsedBytes === null ? "-" : formatBytes(vitals.memoryUsedBytes),
      facts.hostname,
    ]),
  );
}
