/**
 * A tool of the system that is asked again and again, and may hang.
 *
 * Promise: an answer comes within the time, whatever the tool does; of a tool that cannot even be killed there is never a
 * second one at work.
 *
 * @module
 */

/** What became of a question. `hung`: it was killed, or still cannot be. */
export type Said =
  | { readonly type: "text"; readonly text: string; readonly tookMs: number }
  | { readonly type: "failed"; readonly why: string; readonly text: string; readonly tookMs: number }
  | { readonly type: "hung"; readonly why: string; readonly tookMs: number }
  | { readonly type: "absent" };

/** How long a killed tool has to be gone: what the kernel holds on to cannot even be killed. */
const LEAVE_BEHIND_MS = 1_000;
/** Of what a tool writes no more than this is read: a list of 256 devices takes 50 kB. */
const TEXT_MAX = 1024 * 1024;

/** A tool by its name. */
export class Tool {
  readonly #program: string;
  readonly #timeoutMs: number;
  /** One that was killed is still there. */
  #isStuck = false;

  /**
   * @param program a name in PATH, or a path
   * @param timeoutMs after this it hangs
   */
  constructor(program: string, timeoutMs: number) {
    this.#program = program;
    this.#timeoutMs = timeoutMs;
  }

  /** Asks. Never rejects; `signal` gives up. */
  async ask(args: readonly string[], signal?: AbortSignal): Promise<Said> {
    if (this.#isStuck) return { type: "hung", why: `${this.#program} hangs and cannot be killed`, tookMs: 0 };
    const startedMs = performance.now();
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(this.#program, {
        args: [...args],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        detached: true,
      }).spawn();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return { type: "absent" };
      return {
        type: "failed",
        why: `${this.#program} cannot be started: ${words(error)}`,
        text: "",
        tookMs: 0,
      };
    }
    const said = this.#read(child, startedMs);
    const gaveUp = Promise.withResolvers<Said>();
    const kill = () => {
      clearTimeout(timer);
      killGroup(child.pid);
      timer = setTimeout(() => this.#leaveBehind(said, startedMs, gaveUp.resolve), LEAVE_BEHIND_MS);
    };
    let isKilled = false;
    let timer = setTimeout(() => {
      isKilled = true;
      kill();
    }, this.#timeoutMs);
    signal?.addEventListener("abort", kill);
    try {
      const answer = await Promise.race([said, gaveUp.promise]);
      return isKilled && answer.type !== "hung" ? this.#hung(startedMs) : answer;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", kill);
    }
  }

  #leaveBehind(said: Promise<Said>, startedMs: number, gaveUp: (said: Said) => void): void {
    this.#isStuck = true;
    void said.then(() => this.#isStuck = false);
    gaveUp(this.#hung(startedMs));
  }

  #hung(startedMs: number): Said {
    const tookMs = performance.now() - startedMs;
    return { type: "hung", why: `${this.#program} did not answer within ${this.#timeoutMs} ms`, tookMs };
  }

  async #read(child: Deno.ChildProcess, startedMs: number): Promise<Said> {
    // Where a tool talks without end the rest is let go of, and it ends by its broken pipe.
    const [out, error] = await Promise.all([readText(child.stdout), readText(child.stderr)]);
    const { code, signal } = await child.status;
    const tookMs = performance.now() - startedMs;
    if (code === 0) return { type: "text", text: out, tookMs };
    const end = signal === null ? `with code ${code}` : `by ${signal}`;
    const text = `${out}\n${error}`;
    const first = text.split("\n").map((line) => line.trim()).find((line) => line !== "");
    const why = `${this.#program} ended ${end}${first === undefined ? "" : `: ${first.slice(0, 160)}`}`;
    return { type: "failed", why, text, tookMs };
  }
}

async function readText(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > TEXT_MAX) break;
  }
  return text + decoder.decode();
}

/** The tool and what it may have started: a wrapper script is common. */
function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself just now.
  }
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
