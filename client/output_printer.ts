/**
 * Prints what evaluators printed: bytes as they are into a pipe or a file, harmless text onto a terminal.
 *
 * @module
 */
import type { OutputPiece } from "./output_events.ts";
import { TerminalFilter } from "./output_terminal.ts";

/** One of the two ways out of this process. */
interface Outlet {
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

const encoder = new TextEncoder();

/** Prints to the process's own streams. */
export class OutputPrinter {
  readonly #filters = { stdout: new TerminalFilter(), stderr: new TerminalFilter() };

  /** @returns false where nobody reads any more */
  print({ stream, data }: Pick<OutputPiece, "stream" | "data">): boolean {
    const outlet = outletOf(stream);
    return write(outlet, outlet.isTerminal() ? encoder.encode(this.#filters[stream].clean(data)) : data);
  }

  /** Prints what was held back. */
  end(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const outlet = outletOf(stream);
      if (outlet.isTerminal()) write(outlet, encoder.encode(this.#filters[stream].end()));
    }
  }
}

function outletOf(stream: OutputPiece["stream"]): Outlet {
  return stream === "stdout" ? Deno.stdout : Deno.stderr;
}

/** Waits for a reader that is slow: the master waits for this, and nobody for the master. */
function write(outlet: Outlet, bytes: Uint8Array): boolean {
  try {
    for (let left = bytes; left.byteLength > 0;) left = left.subarray(outlet.writeSync(left));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw error;
  }
}
