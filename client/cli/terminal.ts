/**
 * The terminal: where a verb prints, and what it may know about it.
 *
 * Promise: results go to `out`, everything else to `note`, so that whoever reads the results reads nothing else.
 *
 * @module
 */
import { plain } from "./table.ts";

/** Where a verb prints. */
export interface Terminal {
  /** One result, on a line of its own. */
  out(text: string): void;
  /** Something for a person. */
  note(text: string): void;
  /** Replaces the line that was drawn last; only where `isInteractive`. */
  draw(line: string): void;
  /** Whether a person watches: bars are drawn only then. */
  readonly isInteractive: boolean;
  readonly columns: number;
  env(name: string): string | undefined;
}

/** Columns where the terminal does not say. */
const COLUMNS_DEFAULT = 80;
const CLEAR_LINE = "\r\x1b[2K";

/** The process's own terminal. */
export class ProcessTerminal implements Terminal {
  readonly isInteractive = Deno.stderr.isTerminal();
  #isDrawn = false;

  out(text: string): void {
    this.#endLine();
    write(Deno.stdout, `${text}\n`);
  }

  note(text: string): void {
    this.#endLine();
    // An evaluator's words may be among them: they break lines, and steer no terminal.
    write(Deno.stderr, `${text.split("\n").map(plain).join("\n")}\n`);
  }

  draw(line: string): void {
    if (!this.isInteractive) return;
    write(Deno.stderr, `${CLEAR_LINE}${line.slice(0, this.columns - 1)}`);
    this.#isDrawn = true;
  }

  get columns(): number {
    try {
      return Deno.consoleSize().columns || COLUMNS_DEFAULT;
    } catch {
      return COLUMNS_DEFAULT;
    }
  }

  env(name: string): string | undefined {
    const value = Deno.env.get(name);
    return value === "" ? undefined : value;
  }

  #endLine(): void {
    if (this.#isDrawn) write(Deno.stderr, CLEAR_LINE);
    this.#isDrawn = false;
  }
}

const encoder = new TextEncoder();

function write(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  try {
    while (bytes.byteLength > 0) bytes = bytes.subarray(to.writeSync(bytes));
  } catch (error) {
    // The reader has had enough, as `head` has: that is no fault of ours.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
