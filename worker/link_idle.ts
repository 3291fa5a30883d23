/**
 * When a worker has had nothing to do for so long that it leaves.
 *
 * Promise: time without a master does not count: a master that is restarted keeps its fleet, however long that takes. A
 * worker whose time itself is short has a limit for that.
 *
 * @module
 */
import type { Context } from "../shared/actor/actor.ts";
import { formatDuration } from "../shared/protocol/duration.ts";
import type { LinkMessage } from "./messages.ts";

/** Looks so often within the time: it leaves at most this part of it too late. */
const LOOKS = 10;

/** Counts the time in which nothing was to do. */
export class IdleWatch {
  readonly #context: Context<LinkMessage>;
  readonly #timeoutMs: number | undefined;
  #workedMs: number;

  /** @param timeoutMs undefined: it never leaves for this */
  constructor(context: Context<LinkMessage>, timeoutMs: number | undefined) {
    this.#context = context;
    this.#timeoutMs = timeoutMs;
    this.#workedMs = context.now();
    this.#arm();
  }

  /** Something was to do just now. */
  worked(): void {
    if (this.#timeoutMs !== undefined) this.#workedMs = this.#context.now();
  }

  /**
   * Time to look, once for each `idle_due`.
   *
   * @param isIdle whether it is connected and has nothing to do now
   * @returns why the worker should leave, where it should
   */
  due(isIdle: boolean): string | undefined {
    if (this.#timeoutMs === undefined) return undefined;
    this.#arm();
    if (!isIdle) this.worked();
    const idleMs = this.#context.now() - this.#workedMs;
    return idleMs < this.#timeoutMs ? undefined : `nothing was to do for ${formatDuration(this.#timeoutMs)}`;
  }

  #arm(): void {
    if (this.#timeoutMs !== undefined) this.#context.after(this.#timeoutMs / LOOKS, { type: "idle_due" });
  }
}
