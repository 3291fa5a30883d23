/**
 * A context that shows what its actor sends.
 *
 * @module
 */
import type { Context, LogFields, LogLevel, Ref, Start, Timer } from "../../../shared/actor/actor.ts";
import type { Random } from "../../../shared/actor/random.ts";

/** Passes everything on. */
export class TappedContext<M> implements Context<M> {
  readonly #context: Context<M>;
  readonly #sent: (to: Ref<never>, message: unknown) => void;

  constructor(context: Context<M>, sent: (to: Ref<never>, message: unknown) => void) {
    this.#context = context;
    this.#sent = sent;
  }

  get self(): Ref<M> {
    return this.#context.self;
  }

  get random(): Random {
    return this.#context.random;
  }

  now(): number {
    return this.#context.now();
  }

  attentiveNow(): number {
    return this.#context.attentiveNow();
  }

  wallClock(): number {
    return this.#context.wallClock();
  }

  send<N>(to: Ref<N>, message: N): void {
    this.#sent(to, message);
    this.#context.send(to, message);
  }

  spawn<N>(name: string, start: Start<N>): Ref<N> {
    return this.#context.spawn(name, start);
  }

  stop(child: Ref<never>, deadlineMs: number): void {
    this.#context.stop(child, deadlineMs);
  }

  kill(child: Ref<never>): void {
    this.#context.kill(child);
  }

  watch(actor: Ref<never>): void {
    this.#context.watch(actor);
  }

  after(delayMs: number, message: M): Timer {
    return this.#context.after(delayMs, message);
  }

  cancel(timer: Timer): void {
    this.#context.cancel(timer);
  }

  atEnd(release: () => void): void {
    this.#context.atEnd(release);
  }

  log(level: LogLevel, text: string, fields?: LogFields): void {
    this.#context.log(level, text, fields);
  }

  exit(): void {
    this.#context.exit();
  }
}
