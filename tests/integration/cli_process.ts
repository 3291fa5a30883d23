/**
 * The command line as a user starts it: a process of its own.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** What a finished command left. */
export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly notes: string;
}

/** Runs a command to its end. */
export async function cli(...args: readonly string[]): Promise<CliResult> {
  return await new CliProcess(args).finished();
}

/** Runs a command with `--output json` to its end. @returns the one value it printed */
export async function cliJson(...args: readonly string[]): Promise<unknown> {
  const { code, out, notes } = await cli(...args, "--output", "json");
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${notes}`);
  return JSON.parse(out);
}

/** Those that have not ended: a test that fails leaves some. */
const running = new Set<CliProcess>();

/** A command that runs. */
export class CliProcess {
  readonly #child: Deno.ChildProcess;
  readonly #out = new Lines();
  readonly #notes = new Lines();
  readonly #read: Promise<unknown>;

  /** @param where in which folder it runs, by default where the tests do, and what its environment has besides theirs */
  constructor(
    args: readonly string[],
    { folder, env }: { readonly folder?: string; readonly env?: Readonly<Record<string, string>> } = {},
  ) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, ...args],
      ...(folder === undefined ? {} : { cwd: folder }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { ESPALIER_DATA: "", ESPALIER_MASTER: "", ESPALIER_TOKEN: "", ...env },
    }).spawn();
    running.add(this);
    this.#read = Promise.all([this.#out.read(this.#child.stdout), this.#notes.read(this.#child.stderr)]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The first line of the output, or of the notes, that matches, past or to come. */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    return Promise.any([this.#out.line(pattern), this.#notes.line(pattern)]).catch(() => {
      throw new Error(`no line matches ${pattern}:\n${this.#out.text}\n${this.#notes.text}`);
    });
  }

  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended.
    }
  }

  async finished(): Promise<CliResult> {
    const [{ code }] = await Promise.all([this.#child.status, this.#read]);
    running.delete(this);
    return { code, out: this.#out.text, notes: this.#notes.text };
  }

  /** Asks it to end, and waits. */
  async stop(): Promise<CliResult> {
    this.signal("SIGTERM");
    return await this.finished();
  }
}

/** Lines as they come. */
class Lines {
  text = "";
  #waiting: {
    readonly pattern: RegExp;
    readonly resolve: (match: RegExpExecArray) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  #isOver = false;

  async read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      this.text += part;
      this.#waiting = this.#waiting.filter(({ pattern, resolve }) => {
        const match = pattern.exec(this.text);
        if (match !== null) resolve(match);
        return match === null;
      });
    }
    this.#isOver = true;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("the process has ended"));
  }

  line(pattern: RegExp): Promise<RegExpExecArray> {
    const match = pattern.exec(this.text);
    if (match !== null) return Promise.resolve(match);
    if (this.#isOver) return Promise.reject(new Error("the process has ended"));
    return new Promise((resolve, reject) => this.#waiting.push({ pattern, resolve, reject }));
  }
}

/** A folder for a test, removed after it; commands that still run are ended. */
export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-cli-" });
  try {
    await work(folder);
  } finally {
    for (const process of running) process.signal("SIGKILL");
    await Promise.all([...running].map((process) => process.finished()));
    await Deno.remove(folder, { recursive: true });
  }
}

/** A search whose trials sleep for a given time. */
export async function writeSpec(
  folder: string,
  { name = "naps", trials = 4, ms = 10 }: {
    readonly name?: string;
    readonly trials?: number;
    readonly ms?: number;
  } = {},
): Promise<string> {
  const path = `${folder}/${name}.yaml`;
  await Deno.writeTextFile(
    path,
    `name: ${name}
space:
  kind: parameters
  parameters:
    ms: { type: real, min: ${ms}, max: ${ms + 1} }
evaluator: { kind: builtin, name: sleep }
objectives: [{ metric: ms, direction: minimize }]
budget: { trials: ${trials} }
`,
  );
  return path;
}
