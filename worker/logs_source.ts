/**
 * What attempts print, counted on its way to the logs.
 *
 * Promise: an attempt that prints nothing costs nothing. Offsets count all that was printed, also while nobody took it:
 * they are right over a restart of the logs.
 *
 * @module
 */
import type { Context, Ref } from "../shared/actor/actor.ts";
import type { Lease } from "../shared/model/task.ts";
import type { Output } from "./executors/executor.ts";
import type { LogsMessage } from "./logs_messages.ts";

interface Offsets {
  stdout: number;
  stderr: number;
}

/** Whose output it is. */
export interface Printer {
  readonly key: string;
  readonly lease: Lease;
}

/** Passes on what attempts print. */
export class LogsSource {
  readonly #context: Pick<Context<never>, "send">;
  readonly #printing = new Map<string, Offsets>();
  /** Stands below whoever owns this, and is told of when it begins. */
  logs: Ref<LogsMessage> | undefined;

  constructor(context: Pick<Context<never>, "send">) {
    this.#context = context;
  }

  printed({ key, lease }: Printer, { stream, data }: Output): void {
    if (data.byteLength === 0) return;
    const offsets = this.#printing.get(key) ?? { stdout: 0, stderr: 0 };
    this.#printing.set(key, offsets);
    const offset = offsets[stream];
    offsets[stream] += data.byteLength;
    if (this.logs === undefined) return;
    this.#context.send(this.logs, { type: "printed", lease, key, stream, offset, data });
  }

  /** Nothing more comes of it. */
  over(key: string): void {
    if (this.#printing.delete(key) && this.logs !== undefined) {
      this.#context.send(this.logs, { type: "over", key });
    }
  }
}
