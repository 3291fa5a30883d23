/**
 * `export`: the trials of an experiment as CSV or JSON Lines.
 *
 * @module
 */
import { type Command, Option } from "commander";
import type { Client } from "../../mod.ts";
import type { AskOptions, CliContext } from "../context.ts";
import { csvLine, orderColumns, rowOf } from "../csv.ts";
import { Failure } from "../failure.ts";
import { outputOption, printAnswer } from "../output.ts";
import { withClient, withMasterOptions } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { experimentArgument } from "./experiments.ts";

interface ExportOptions extends AskOptions {
  readonly format: "csv" | "jsonl";
  readonly to?: string;
}

/** Adds the verb. */
export function addExportVerb(program: Command, context: CliContext): void {
  withMasterOptions(program.command("export"))
    .description("write the trials of an experiment to a file, or to the output")
    .addArgument(experimentArgument())
    .addOption(new Option("--format <format>", "of the rows").choices(["csv", "jsonl"]).default("csv"))
    .option("--to <file>", "where to; without it the rows are the output")
    .addOption(outputOption())
    .action((id: string, options: ExportOptions) => exportTrials(id, options, context));
}

async function exportTrials(id: string, options: ExportOptions, { terminal }: CliContext): Promise<void> {
  const sink = await openSink(options.to, terminal);
  let rows = 0;
  try {
    const lines = (client: Client) => options.format === "csv" ? csvLines(client, id) : jsonLines(client, id);
    await withClient(options, terminal, async (client) => {
      for await (const { line, isRow } of lines(client)) {
        sink.write(line);
        if (isRow) rows += 1;
      }
    });
  } finally {
    sink.close();
  }
  if (options.to === undefined) return;
  printAnswer(terminal, options.output, {
    json: { file: options.to, rows },
    table: () => `${rows} trials in ${options.to}`,
    quiet: () => "",
  });
}

interface Line {
  readonly line: string;
  readonly isRow: boolean;
}

async function* jsonLines(client: Client, id: string): AsyncGenerator<Line> {
  for await (const trial of client.trials(id)) yield { line: JSON.stringify(trial), isRow: true };
}

/** Reads the trials twice: the columns are known only when all have been seen, and there may be millions. */
async function* csvLines(client: Client, id: string): AsyncGenerator<Line> {
  // Resolved once: "last" may be another experiment at the second reading.
  const { experiment } = await client.show(id);
  const columns = new Set<string>();
  let last = 0;
  for await (const trial of client.trials(experiment)) {
    for (const column of rowOf(trial).keys()) columns.add(column);
    last = trial.trial;
  }
  const ordered = orderColumns(columns);
  yield { line: csvLine(ordered), isRow: false };
  for await (const trial of client.trials(experiment)) {
    if (trial.trial > last) return;
    const row = rowOf(trial);
    yield { line: csvLine(ordered.map((column) => row.get(column) ?? "")), isRow: true };
  }
}

interface Sink {
  write(line: string): void;
  close(): void;
}

async function openSink(path: string | undefined, terminal: Terminal): Promise<Sink> {
  if (path === undefined) return { write: (line) => terminal.out(line), close: () => {} };
  try {
    const file = await Deno.create(path);
    const encoder = new TextEncoder();
    return {
      write(line) {
        let bytes = encoder.encode(`${line}\n`);
        while (bytes.byteLength > 0) bytes = bytes.subarray(file.writeSync(bytes));
      },
      close: () => file.close(),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`${path} cannot be written: ${reason}; choose another file with --to`);
  }
}
