/**
 * A process of a fleet, from outside: its words, its signals, its end.
 *
 * @module
 */

import type { EvaluationLine } from "./role.ts";

/** One line of what a process says. */
export interface Word {
  readonly url?: string;
  readonly refused?: string;
  readonly log?: string;
  /** An attempt of this task was started. */
  readonly started?: string;
  /** An attempt of this task has ended. */
  readonly ended?: string;
  readonly attempt?: number;
  readonly state?: string;
  /** What could not be written into its file of evaluations. */
  readonly unwritten?: EvaluationLine;
}

/** A process of `role.ts`. */
export class Member {
  /** All that it has said. */
  readonly words: Word[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #listening: Promise<void>;
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;

  /** @param command what is run, with its arguments; a shell that sets limits may stand before `deno` */
  constructor(command: readonly string[]) {
    const [program = "", ...args] = command;
    this.#process = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
    this.#listening = this.#listen();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Whether it is gone. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Fulfilled with the first word, of those said already or later, for which this holds. */
  async until(holds: (word: Word) => boolean): Promise<Word> {
    for (let looked = 0;;) {
      for (; looked < this.words.length; looked++) {
        const word = this.words[looked];
        if (word !== undefined && holds(word)) return word;
      }
      if (this.#hasEnded) throw new Error(`process ${this.pid} ended and said ${this.#lastWords()}`);
      await this.#more();
    }
  }

  /** Sends a signal; `SIGTERM` asks it to stop. */
  signal(signal: Deno.Signal): void {
    if (!this.#hasEnded) this.#process.kill(signal);
  }

  /** Kills it, and waits until it is gone. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended();
  }

  /** Fulfilled with its exit code when it is gone and has been heard to the end. */
  async ended(): Promise<number> {
    const { code } = await this.#process.status;
    await this.#listening;
    await this.#process.stdin.close().catch(() => {});
    return code;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  async #listen(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.words.push(JSON.parse(line));
      this.#wake();
    }
    this.#hasEnded = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #lastWords(): string {
    return this.words.slice(-5).map((word) => JSON.stringify(word)).join(" ");
  }
}
