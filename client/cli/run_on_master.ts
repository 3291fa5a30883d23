/**
 * A run on a master that stays.
 *
 * @module
 */
import type { AskOptions, CliContext } from "./context.ts";
import type { CodeLimits } from "./code_list.ts";
import { sendCode } from "./code_pack.ts";
import { printAnswer } from "./output.ts";
import { whyNoResult } from "./no_result.ts";
import { printEnd } from "./run_end.ts";
import { withClient } from "./session.ts";
import type { SpecLoaded } from "./spec_file.ts";
import { PauseWatch, watchExperiment } from "./watch.ts";

/** The options of `run`. */
export interface RunOptions extends AskOptions {
  readonly set?: readonly string[];
  readonly detach?: boolean;
  readonly listCode?: boolean;
  /** In bytes. */
  readonly codeLimit: number;
  readonly codeFilesLimit: number;
  readonly workers?: number;
  readonly slots?: number;
  readonly port: number;
}

/** How much of a spec's folder may travel. */
export function limitsOf({ codeLimit, codeFilesLimit }: RunOptions): CodeLimits {
  return { bytes: codeLimit, entries: codeFilesLimit };
}

/** A spec that passed its check. */
export type GoodSpec = Extract<SpecLoaded, { readonly ok: true }>;

/** Submits to a master that runs anyway. */
export async function runOnMaster(loaded: GoodSpec, options: RunOptions, context: CliContext): Promise<void> {
  const { terminal } = context;
  await withClient(options, terminal, async (client) => {
    const pauses = new PauseWatch();
    const spec = await sendCode(loaded, limitsOf(options), client.artifacts, (text) => terminal.note(text));
    const handle = await client.run(spec, {
      onState: (state, reason) => pauses.onState(state, reason),
    });
    if (options.detach === true) {
      handle.close();
      return printAnswer(terminal, options.output, {
        json: { experiment: handle.id, state: "running" },
        table: () => `${handle.id} is running; wait for it with: espalier wait ${handle.id}`,
        quiet: () => handle.id,
      });
    }
    terminal.note(`${handle.id} is running; it goes on if you leave`);
    const summary = await watchExperiment(client, handle, pauses, terminal);
    const end = { summary, noResult: await whyNoResult(client, summary), space: loaded.spec.space };
    printEnd(end, options.output, context);
  });
}
