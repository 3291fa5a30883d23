/**
 * `artifacts`, `fetch`: what trials kept at the master.
 *
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { Argument, type Command } from "commander";
import { isFileName } from "../../../shared/model/artifact.ts";
import type { Client, TaskFiles } from "../../mod.ts";
import { wholeNumber } from "../arguments.ts";
import type { AskOptions, CliContext } from "../context.ts";
import { Failure } from "../failure.ts";
import { outputOption, printAnswer } from "../output.ts";
import { selectedTask } from "../selection.ts";
import { withClient, withMasterOptions } from "../session.ts";
import { formatBytes, plain, table } from "../table.ts";

interface ArtifactsOptions extends AskOptions {
  readonly attempt?: number;
}

interface FetchOptions extends ArtifactsOptions {
  readonly to: string;
}

/** Adds the verbs. */
export function addArtifactVerbs(program: Command, context: CliContext): void {
  withMasterOptions(program.command("artifacts"))
    .description("list the files and checkpoints that a trial kept")
    .addArgument(trialArgument())
    .option(...attemptOption())
    .addOption(outputOption())
    .action((trial: string, options: ArtifactsOptions) => list(trial, options, context));
  withMasterOptions(program.command("fetch"))
    .description("fetch files that a trial kept, all of them unless named")
    .addArgument(trialArgument())
    .argument("[name...]", "files, by their names or in folders of these names")
    .option("--to <folder>", "where they are put; what has their names there is replaced", ".")
    .option(...attemptOption())
    .addOption(outputOption())
    .action((trial: string, names: readonly string[], options: FetchOptions) =>
      fetchFiles(trial, names, options, context)
    );
}

function trialArgument(): Argument {
  return new Argument("<trial>", "such as digits-1/7 or last/7, or a plain task's GROUP/NUMBER");
}

function attemptOption(): [string, string, (text: string) => number] {
  return [
    "--attempt <n>",
    "of this attempt; by default the one whose result counts",
    wholeNumber(1, 1_000_000),
  ];
}

async function list(text: string, options: ArtifactsOptions, { terminal }: CliContext): Promise<void> {
  const { trial, ...kept } = await withClient(options, terminal, async (client) => {
    const trial = await selectedTask(client, text);
    return { trial, ...await filesOf(client, trial, options) };
  });
  printAnswer(terminal, options.output, {
    json: { trial, ...kept },
    table: () => tableOf(trial, kept),
    quiet: () => kept.files.map(({ name }) => name).join("\n"),
  });
}

function filesOf(client: Client, trial: string, { attempt }: ArtifactsOptions): Promise<TaskFiles> {
  return client.files(trial, attempt ?? null);
}

function tableOf(trial: string, { attempt, files, checkpoints }: TaskFiles): string {
  const parts = [
    files.length === 0 ? `${trial} has kept no files` : table(
      ["FILE", "SIZE", "ATTEMPT", "SHA-256"],
      files.map((
        { name, bytes, sha256 },
      ) => [name, formatBytes(bytes), String(attempt ?? "-"), short(sha256)]),
    ),
  ];
  if (checkpoints.length > 0) {
    const rows = checkpoints.map(({ step, bytes, attempt: of, sha256 }) => [
      String(step),
      formatBytes(bytes),
      String(of),
      short(sha256),
    ]);
    parts.push("", table(["CHECKPOINT", "SIZE", "ATTEMPT", "SHA-256"], rows));
  }
  return parts.join("\n");
}

/** Enough of a hash to tell two of them apart. */
function short(sha256: string): string {
  return sha256.slice(0, 12);
}

async function fetchFiles(
  text: string,
  names: readonly string[],
  options: FetchOptions,
  { terminal }: CliContext,
): Promise<void> {
  const to = resolve(options.to);
  const { trial, fetched } = await withClient(options, terminal, async (client) => {
    const trial = await selectedTask(client, text);
    const wanted = chosen(trial, names, await filesOf(client, trial, options));
    for (const { name, bytes, sha256 } of wanted) await fetchOne(client, { sha256, bytes }, join(to, name));
    return { trial, fetched: wanted.map(({ name, bytes }) => ({ name, bytes, path: join(to, name) })) };
  });
  printAnswer(terminal, options.output, {
    json: { trial, to, files: fetched },
    table: () => fetched.map(({ path, bytes }) => `${plain(path)} (${formatBytes(bytes)})`).join("\n"),
    quiet: () => fetched.map(({ path }) => path).join("\n"),
  });
}

function chosen(trial: string, names: readonly string[], { files }: TaskFiles): TaskFiles["files"] {
  const isWanted = (file: string, name: string) =>
    file === name || file.startsWith(`${name.replace(/\/$/, "")}/`);
  const missing = names.find((name) => !files.some((file) => isWanted(file.name, name)));
  if (missing !== undefined || files.length === 0) {
    const has = files.length === 0 ? "it has kept none" : `it has ${namesOf(files)}`;
    const what = missing === undefined ? "files" : `file ${missing}`;
    throw new Failure(`there is no ${what} of ${trial}: ${has}; a spec's "files" says which are kept`);
  }
  const wanted = names.length === 0
    ? files
    : files.filter((file) => names.some((name) => isWanted(file.name, name)));
  // A master is believed what it has, not where that belongs on this machine.
  const wrong = wanted.find(({ name }) => !isFileName(name));
  if (wrong !== undefined) throw new Failure(`"${plain(wrong.name)}" is no name of a file below a folder`);
  return wanted;
}

/** So many names are told. */
const NAMES_TOLD_MAX = 10;

function namesOf(files: TaskFiles["files"]): string {
  const told = files.slice(0, NAMES_TOLD_MAX).map(({ name }) => plain(name)).join(", ");
  return files.length > NAMES_TOLD_MAX ? `${told} and ${files.length - NAMES_TOLD_MAX} more` : told;
}

/** Beside its place first: what is there stays until the new one is whole. */
async function fetchOne(
  client: Client,
  ref: { readonly sha256: string; readonly bytes: number },
  path: string,
): Promise<void> {
  // A name of its own, since the longest one with anything behind it would be none.
  const beside = join(dirname(path), `.${crypto.randomUUID()}`);
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await client.artifacts.get(ref, beside);
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw new Failure(
      `${path} could not be fetched: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
