/**
 * A child process that runs store_process.ts, and what it says.
 *
 * @module
 */
const PROCESS = new URL("./store_process.ts", import.meta.url);

/** What the process says, a value a line. */
export interface Said {
  readonly opened?: string;
  readonly durable?: number;
  readonly fault?: string;
  readonly closed?: boolean;
}

/** A process with a store. */
export class StoreChild implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #rest = "";

  /** @param shell how to start deno, `exec "$@"` by default: lets a test set limits first */
  constructor(
    folder: string,
    batches: number,
    tasks: number,
    shell = 'exec "$@"',
  ) {
    const deno = [Deno.execPath(), "run", "-A", "--no-check", PROCESS.href, folder];
    this.#child = new Deno.Command("sh", {
      args: ["-c", shell, "sh", ...deno, String(batches), String(tasks)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The next value; undefined at the end. */
  async next(): Promise<Said | undefined> {
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end !== -1) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        return JSON.parse(line);
      }
      const { value, done } = await this.#lines.read();
      if (done) return undefined;
      this.#rest += value;
    }
  }

  /** Reads until something holds. @throws Error where the process ends before */
  async until(holds: (said: Said) => boolean): Promise<Said> {
    for (let said = await this.next(); said !== undefined; said = await this.next()) {
      if (holds(said)) return said;
    }
    throw new Error("the process ended before it said what was expected");
  }

  /** Kills it and reads what it had still said. */
  async kill(): Promise<readonly Said[]> {
    this.#child.kill("SIGKILL");
    const said: Said[] = [];
    for (let each = await this.next(); each !== undefined; each = await this.next()) said.push(each);
    return said;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#lines.cancel();
    await this.#child.stdin.close();
    await this.#child.status;
  }
}
