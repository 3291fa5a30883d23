/**
 * One attempt in an evaluator's process: from its frame to its one end.
 *
 * @module
 */
import type { Metrics } from "../../shared/model/outcome.ts";
import type { ExecutorEvent, Running } from "./executor.ts";
import { FATAL_EXIT_CODE } from "./harness/failure.ts";
import type { Answer, Failure } from "./harness/message.ts";
import type { ModuleProcess, ProcessEnd, ProcessListener } from "./module_process.ts";
import { Stopping } from "./stopping.ts";

/** How an attempt ends. */
export type End = Extract<ExecutorEvent, { type: "ended" }>["end"];

/** Whom an attempt tells. */
export interface AttemptListener {
  /** The process has imported the module; once. */
  loaded(): void;
  report(step: number, metrics: Metrics): void;
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
      case "unloadable":
        return this.#end(this.#failed(answer), false);
      case "completed": {
        // What was measured before the stop was heard counts; what was returned because of it may be half a measurement.
        const end: End = answer.aborted
          ? { state: "stopped" }
          : { state: "completed", metrics: answer.metrics };
        return this.#end(end, this.#isReusable(answer.aborted));
      }
      case "failed":
        return this.#end(this.#failed(answer), this.#isReusable(answer.aborted) && !answer.spent);
    }
  }

  /** A stop that crossed the answer would reach the next attempt. */
  #isReusable(aborted: boolean): boolean {
    return !this.#stopping.hasBegun || aborted;
  }

  processEnded({ code, signal }: ProcessEnd): void {
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
