/**
 * `run --list-code`: what of a spec's folder would travel.
 *
 * @module
 */
import { type CodeLimits, listCode } from "./code_list.ts";
import { doesTravel } from "./code_pack.ts";
import type { CliContext } from "./context.ts";
import { UsageError } from "./failure.ts";
import { type OutputForm, printAnswer } from "./output.ts";
import type { SpecLoaded } from "./spec_file.ts";
import { formatBytes, table } from "./table.ts";

/** Prints what would travel, also where it is too much. @throws UsageError where it could not travel */
export async function showCode(
  loaded: Extract<SpecLoaded, { readonly ok: true }>,
  limits: CodeLimits,
  form: OutputForm,
  { terminal }: CliContext,
): Promise<void> {
  const { folder, file } = loaded;
  if (!doesTravel(loaded)) {
    terminal.note(`nothing of ${file} travels: its code is "local", or its evaluator is part of the worker`);
    return printAnswer(terminal, form, {
      json: { folder, bytes: 0, files: [] },
      table: () => "",
      quiet: () => "",
    });
  }
  const listed = await listCode(folder, limits);
  if (!listed.ok) throw new UsageError(listed.message);
  const files = listed.entries.flatMap((entry) => {
    if (entry.type === "folder") return [];
    const bytes = entry.type === "file" ? entry.bytes : 0;
    return [{
      name: entry.name,
      bytes,
      size: entry.type === "file" ? formatBytes(bytes) : `-> ${entry.target}`,
    }];
  });
  printAnswer(terminal, form, {
    json: { folder, bytes: listed.bytes, files: files.map(({ name, bytes }) => ({ name, bytes })) },
    table: () => {
      const total = `${files.length} files of ${folder}, ${formatBytes(listed.bytes)}`;
      return `${table(["FILE", "SIZE"], files.map(({ name, size }) => [name, size]))}\n${total}`;
    },
    quiet: () => files.map(({ name }) => name).join("\n"),
  });
  if (listed.tooMuch !== undefined) throw new UsageError(listed.tooMuch);
}
