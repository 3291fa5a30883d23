/**
 * `workers`, `stop`, `explain`, `backup`: the master and its machines.
 *
 * @module
 */
import { resolve } from "node:path";
import { Argument, type Command } from "commander";
import { formatDuration } from "../../../shared/protocol/duration.ts";
import type { DeviceLive, WorkerLive } from "../../../shared/model/live.ts";
import { spanOption } from "../arguments.ts";
import type { AskOptions, CliContext } from "../context.ts";
import { outputOption, printAnswer } from "../output.ts";
import { selectedTask } from "../selection.ts";
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
  const explanation = await withClient(
    options,
    terminal,
    async (client) => await client.explain(await selectedTask(client, task)),
  );
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
  const hasGpus = workers.some(({ devices }) => devices.length > 0);
  const hasLabels = workers.some(({ labels }) => ownLabels(labels).length > 0);
  const hasLimits = workers.some(({ leavesAtMs }) => leavesAtMs !== null);
  const now = Date.now();
  return table(
    [
      ...["WORKER", "STATE", "SLOTS", "RUNNING", "QUEUED", "CPU", "MEMORY", "HOST"],
      ...(hasGpus ? ["GPUS"] : []),
      ...(hasLimits ? ["TIME LEFT"] : []),
      ...(hasLabels ? ["LABELS"] : []),
    ],
    workers.map(({ id, state, slots, running, queued, vitals, facts, probation, ...more }) => [
      id,
      probation === null ? state : `${state}, on probation: ${probation}`,
      String(slots),
      String(running),
      String(queued),
      vitals === null || vitals.cpuPercent === null ? "-" : `${Math.round(vitals.cpuPercent)}%`,
      vitals === null || vitals.memoryUsedBytes === null ? "-" : formatBytes(vitals.memoryUsedBytes),
      facts.hostname,
      ...(hasGpus ? [gpuWords(more.devices)] : []),
      ...(hasLimits ? [timeLeft(more.leavesAtMs, now)] : []),
      ...(hasLabels ? [ownLabels(more.labels).join(" ") || "-"] : []),
    ]),
  );
}

/** Those that its user gave it: what it has by itself stands in other columns, and in JSON. */
function ownLabels(labels: readonly string[]): readonly string[] {
  return labels.filter((label) => !/^(os|arch|host|gpu)=/.test(label));
}

/** Such as `1.5 of 4 used; GPU-8932 is out of service: it is lost`. */
function gpuWords(devices: readonly DeviceLive[]): string {
  if (devices.length === 0) return "-";
  const used = devices.reduce((sum, device) => sum + device.used, 0);
  const out = devices.flatMap(({ id, trouble }) =>
    trouble === null ? [] : [`; ${id} is out of service: ${trouble}`]
  );
  return `${Number(used.toFixed(2))} of ${devices.length} used${out.join("")}`;
}

function timeLeft(leavesAtMs: number | null, nowMs: number): string {
  return leavesAtMs === null ? "-" : formatDuration(Math.max(0, leavesAtMs - nowMs));
}
