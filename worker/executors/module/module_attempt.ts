/**
 * One attempt in an evaluator's process: from its frame to its one end.
 *
 * @module
 */
import type { Metrics } from "../../../shared/model/outcome.ts";
import type { ExecutorEvent, Output, Running } from "../executor.ts";
import { FATAL_EXIT_CODE } from "./harness/failure.ts";
import type { Answer, Failure, Kept } from "./harness/message.ts";
import type { ModuleProcess, ProcessEnd, ProcessListener } from "./module_process.ts";
import { Stopping } from "../processes/stopping.ts";

/** How an attempt ends. */
export type End = Extract<ExecutorEvent, { type: "ended" }>["end"];

/** What an evaluator kept. */
export type KeptEvent = Extract<ExecutorEvent, { type: "checkpoint" | "file" }>;

/** Whom an attempt tells. */
export interface AttemptListener {
  /** The process has imported the module; once. */
  loaded(): void;
  report(step: number, metrics: Metrics): void;
  /** It kept something: a file that is the listener's from now on. */
  kept(event: KeptEvent): void;
  printed(stream: Output["stream"], data: Uint8Array): void;
  /** Once, last. @param process the process, where it can serve the next attempt */
  ended(end: End, process: ModuleProcess | undefined): void;
}

/** What is given to the process. */
export interface Given {
  /** Marks the answers to it. */
  readonly id: number;
  /** An `Evaluate` with the same id. */
  readonly frame: Uint8Array<ArrayBuffer>;
  /** The limit of the process, for messages. */
  readonly heapMiB: number;
}

/** An attempt that has been given to its process. */
export class ModuleAttempt implements Running, ProcessListener {
  readonly #process: ModuleProcess;
  readonly #listener: AttemptListener;
  readonly #given: Given;
  #result: Extract<Answer, { type: "completed" | "failed" }> | undefined;
  #isPrinted = false;
  #isOver = false;
  readonly #stopping: Stopping;

  constructor(process: ModuleProcess, given: Given, listener: AttemptListener) {
    this.#process = process;
    this.#given = given;
    this.#listener = listener;
    this.#stopping = new Stopping({
      // Before the module is loaded nobody listens, and nothing is worth waiting for.
      isHeard: () => process.isLoaded,
      ask: () => process.requestStop(),
      kill: () => process.kill(),
    });
    process.listener = this;
    process.evaluate(given.frame);
  }

  stop(graceMs: number): void {
    this.#stopping.stop(graceMs);
  }

  answered(answer: Answer): void {
    if (this.#isOver) return;
    switch (answer.type) {
      case "loaded":
        return this.#listener.loaded();
      case "report":
        // A report of the attempt before, made by what it left behind.
        if (answer.id === this.#given.id) this.#listener.report(answer.step, answer.metrics);
        return;
      case "checkpoint":
      case "file":
        if (answer.id === this.#given.id) this.#kept(answer);
        return;
      case "unloadable":
        return this.#end(this.#failed(answer), false);
      case "completed":
      case "failed":
        this.#result = answer;
        if (!answer.marked) this.#isPrinted = true;
        return this.#settleIfDone();
    }
  }

  printed(stream: Output["stream"], bytes: Uint8Array): void {
    if (!this.#isOver) this.#listener.printed(stream, bytes);
  }

  printsEnded(id: number): void {
    if (id !== this.#given.id) return;
    this.#isPrinted = true;
    this.#settleIfDone();
  }

  /** The answer comes by one pipe, the last prints by another. */
  #settleIfDone(): void {
    const result = this.#result;
    if (this.#isOver || !this.#isPrinted || result === undefined) return;
    if (result.type === "failed") {
      return this.#end(this.#failed(result), this.#isReusable(result.aborted) && !result.spent);
    }
    // What was measured before the stop was heard counts; what was returned because of it may be half a measurement.
    const end: End = result.aborted ? { state: "stopped" } : { state: "completed", metrics: result.metrics };
    this.#end(end, this.#isReusable(result.aborted));
  }

  /** Moved to where its process cannot write: nobody changes it while it is read. */
  #kept(kept: Kept): void {
    const { scratch } = this.#process;
    const path = `${scratch}.${kept.file}`;
    try {
      const from = `${scratch}/${kept.file}`;
      if (!Deno.lstatSync(from).isFile) return;
      Deno.renameSync(from, path);
    } catch {
      // The evaluator has removed it.
      return;
    }
    this.#listener.kept(
      kept.type === "file"
        ? { type: "file", name: kept.name, path }
        : { type: "checkpoint", step: kept.step, path },
    );
  }

  /** A stop that crossed the answer would reach the next attempt. */
  #isReusable(aborted: boolean): boolean {
    return !this.#stopping.hasBegun || aborted;
  }

  processEnded({ code, signal }: ProcessEnd): void {
    if (this.#isOver) return;
    this.#isPrinted = true;
    this.#settleIfDone();
    if (this.#isOver) return;
    const final = code === FATAL_EXIT_CODE && signal === null;
    this.#end(this.#failed({ message: this.#deathInWords(code, signal), final }), false);
  }

  #end(end: End, isReusable: boolean): void {
    this.#isOver = true;
    this.#stopping.over();
    if (isReusable) return this.#listener.ended(end, this.#process);
    this.#process.kill();
    this.#process.ended.then(() => this.#listener.ended(end, undefined));
  }

  /** What was printed goes with the stack and not with the message: failures are compared by their messages. */
  #failed({ message, stack, final }: Failure): End {
    if (this.#stopping.hasBegun) return { state: "stopped" };
    const printed = this.#process.printed.text();
    const details = [stack, printed === "" ? undefined : `Printed:\n${printed}`].filter((part) =>
      part !== undefined
    );
    return {
      state: "failed",
      cause: "evaluator",
      message,
      final,
      ...(details.length === 0 ? {} : { stack: details.join("\n\n") }),
    };
  }

  #deathInWords(code: number, signal: Deno.Signal | null): string {
    if (this.#process.isGarbled) {
      return "the evaluator's output broke an answer of the harness: do not print from several threads at once";
    }
    if (STUCK_ON_LOAD.test(this.#process.printed.text())) {
      return "the evaluator's module waits, while it is loaded, for a promise that nothing is left to resolve";
    }
    if (OUT_OF_MEMORY.test(this.#process.printed.text())) {
      return `the evaluator needed more memory than its limit of ${this.#given.heapMiB} MiB`;
    }
    const { excess } = this.#process;
    if (excess !== undefined) return excess;
    if (signal !== null) {
      return `the evaluator's process was ended by ${signal}${SIGNAL_ADVICE[signal] ?? ""}`;
    }
    const when = this.#process.isLoaded ? "" : " before its module was loaded";
    return `the evaluator's process ended with exit code ${code}${when}`;
  }
}

/** What V8 prints as it dies. */
const OUT_OF_MEMORY = /Fatal (JavaScript|process) out of memory/;

/** What Deno prints of a module that cannot be loaded to its end. */
const STUCK_ON_LOAD = /Top-level await promise never resolved/;

const SIGNAL_ADVICE: Partial<Record<Deno.Signal, string>> = {
  SIGKILL: ": the machine may have run out of memory",
};
