/**
 * The main thread's end of the store's thread.
 *
 * Promise: every request is answered once, also when the thread ends by itself; the next request starts another.
 *
 * @module
 */
import type { Done, StoreResult } from "../store.ts";
import type { Numbered, ThreadAnswer, ThreadRequest, ThreadStart } from "./thread_protocol.ts";

/** A thread that is started when it is first needed. */
export class ThreadClient {
  readonly #folder: string;
  readonly #waiting = new Map<number, (result: StoreResult<unknown>) => void>();
  #worker: Worker | undefined;
  #lastId = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  /** Sends a request. The type of the answer is the caller's word for what `thread.ts` answers to it. */
  ask<T>(request: ThreadRequest, moved: readonly Transferable[], done: Done<T>): void {
    this.#worker ??= this.#start();
    const id = ++this.#lastId;
    this.#waiting.set(id, (result) => done(result as StoreResult<T>));
    const message: Numbered = { id, request };
    this.#worker.postMessage(message, [...moved]);
  }

  /** Ends a thread that has confirmed its close: one that works could not be stopped. */
  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./thread.ts", import.meta.url), { type: "module", name: "store" });
    worker.onmessage = ({ data }: MessageEvent<ThreadAnswer>) => {
      const done = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      done?.(data.result);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#ended(worker, event.message);
    };
    const message: ThreadStart = { type: "start", folder: this.#folder };
    worker.postMessage(message);
    return worker;
  }

  #ended(worker: Worker, message: string): void {
    worker.terminate();
    if (this.#worker === worker) this.#worker = undefined;
    const unanswered = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const done of unanswered) {
      done({ ok: false, error: { kind: "fault", message: `the store's thread has ended: ${message}` } });
    }
  }
}
