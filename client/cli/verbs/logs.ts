/**
 * `logs`: what the evaluator of a trial or a plain task printed.
 *
 * @module
 */
import { Argument, type Command, Option } from "commander";
import type { OutputEvent, OutputPiece } from "../../mod.ts";
import { wholeNumber } from "../arguments.ts";
import type { AskOptions, CliContext } from "../context.ts";
import { UsageError } from "../failure.ts";
import { outputOption, printAnswer } from "../output.ts";
import { selectedTask } from "../selection.ts";
import { withClient, withMasterOptions } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { OutputPrinter } from "../../output_printer.ts";

interface LogsOptions extends AskOptions {
  readonly follow?: boolean;
  readonly attempt?: number;
  readonly stream?: "stdout" | "stderr";
  readonly tail?: number;
}

/** Adds the verb. */
export function addLogsVerb(program: Command, context: CliContext): void {
  withMasterOptions(program.command("logs"))
    .description("print what the evaluator of a trial or a task printed")
    .addArgument(new Argument("<task>", '<experiment>/<trial>, or a task of "submit" as GROUP/NUMBER'))
    .option("-f, --follow", "go on with what comes, until the trial has its outcome")
    .option(
      "--attempt <n>",
      "of this attempt (by default the one with the outcome, else the newest)",
      wholeNumber(1, 1_000_000),
    )
    .addOption(new Option("--stream <name>", "of this stream only").choices(["stdout", "stderr"]))
    .option("--tail <lines>", "of what is there already, only the last lines", wholeNumber(0, 1_000_000))
    .addOption(outputOption())
    .action((task: string, options: LogsOptions) => logs(task, options, context));
}

async function logs(task: string, options: LogsOptions, { terminal }: CliContext): Promise<void> {
  const { follow = false, attempt, stream, tail, output } = options;
  if (follow && output === "json") {
    throw new UsageError("--output json prints one value, and --follow has no end: leave out one of them");
  }
  await withClient(options, terminal, async (client) => {
    const named = await selectedTask(client, task);
    const events = client.output(named, { follow, attempt, stream, tailLines: tail });
    if (output === "json") printAnswer(terminal, "json", { ...NO_FORMS, json: await gathered(events) });
    else await printed(named, events, { follow, isQuiet: output === "quiet" }, terminal);
  });
}

const NO_FORMS = { table: () => "", quiet: () => "" };

/** Results go to standard output and standard error as they went there; what is said about them, to standard error. */
async function printed(
  task: string,
  events: AsyncIterable<OutputEvent>,
  { follow, isQuiet }: { readonly follow: boolean; readonly isQuiet: boolean },
  terminal: Terminal,
): Promise<void> {
  const printer = new OutputPrinter();
  const note = (text: string) => isQuiet ? undefined : terminal.note(text);
  let attempt = "";
  for await (const event of events) {
    if (event.type === "end") {
      printer.end();
      if (attempt === "" && !follow) note(`nothing is kept of what ${task} printed`);
      if (follow) note(`--- ${task} ${event.outcome === "" ? "goes on" : event.outcome} ---`);
      return;
    }
    const of = `attempt ${event.attempt} on ${event.worker}`;
    if (`${of} ${event.epoch}` !== attempt) note(`--- ${of} ---`);
    attempt = `${of} ${event.epoch}`;
    if (event.leftOutBytes > 0) note(`--- ${event.leftOutBytes} bytes of ${event.stream} were left out ---`);
    // Whoever reads has had enough, as `head` has.
    if (!printer.print(event)) return;
  }
}

/** Pieces of one stream that follow each other are one. */
async function gathered(events: AsyncIterable<OutputEvent>): Promise<unknown> {
  const pieces: OutputPiece[][] = [];
  for await (const event of events) {
    if (event.type === "end") break;
    const last = pieces.at(-1)?.at(-1);
    const follows = last !== undefined && last.stream === event.stream && last.attempt === event.attempt &&
      last.epoch === event.epoch && event.leftOutBytes === 0;
    if (follows) pieces.at(-1)?.push(event);
    else pieces.push([event]);
  }
  return pieces.map(jsonOf);
}

function jsonOf(pieces: readonly OutputPiece[]): unknown {
  const [first] = pieces;
  if (first === undefined) return null;
  const { attempt, worker, stream, offset, leftOutBytes } = first;
  const bytes = new Uint8Array(pieces.reduce((sum, { data }) => sum + data.byteLength, 0));
  let at = 0;
  for (const { data } of pieces) {
    bytes.set(data, at);
    at += data.byteLength;
  }
  return { attempt, worker, stream, offset, leftOutBytes, ...content(bytes) };
}

/** What is no UTF-8 is not spoilt. */
function content(bytes: Uint8Array): { readonly text: string } | { readonly base64: string } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { base64: bytes.toBase64() };
  }
}
