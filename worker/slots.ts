/**
 * Slots: which attempts run, which wait, and the one result of each lease.
 *
 * Promise: every assigned lease gets exactly one result, whatever its evaluator does; a slot and its resources are free
 * only when nothing of the evaluator is alive.
 * Not here: a running attempt's deadline and reports (attempt.ts), results until they are acknowledged (outbox.ts).
 *
 * An evaluator that ends within `start` gets no actor: an empty task would cost more to supervise than to run.
 *
 * @module
 */
import type { Actor, Context, ExitReason, Ref, Start, Timer } from "../shared/actor/actor.ts";
import type { AttemptEnd } from "../shared/model/outcome.ts";
import type { Device, DeviceTrouble } from "../shared/model/devices.ts";
import type { Resources } from "../shared/model/resources.ts";
import { type Lease, leaseKey, type TaskTemplate } from "../shared/model/task.ts";
import type { Assign, Cancel } from "../shared/protocol/worker_envelopes.ts";
import { attempt } from "./attempt.ts";
import { evaluatorFailed } from "./attempt_end.ts";
import type { Executor, ExecutorEvent, Running } from "./executors/executor.ts";
import { LogsSource } from "./logs_source.ts";
import type { Finished, LinkMessage, Order, OutboxMessage, SlotsMessage, StopCause } from "./messages.ts";
import { Free } from "./slots_free.ts";
import { Held, Line, NO_PAYLOAD } from "./slots_held.ts";
import { devicesRefusal, kindRefusal, needRefusal, type Offered, type Refusal } from "./slots_refusal.ts";
import { earlyEnd, earlyReports, type Executors, startEvaluator } from "./slots_start.ts";
import { Templates } from "./slots_template.ts";

/** While so many results wait for their acknowledgement, nothing is begun: nothing is lost, and the heap is bounded. */
export const WAITING_RESULTS_MAX = 10_000;
/** Leases that wait for a slot; further ones are handed back. */
export const QUEUED_MAX = 8_192;
/** How long evaluators have to end when a leaving worker hands them back, after the grace period of the stop. */
export const HAND_BACK_GRACE_MS = 2_000;
/** Evaluators that end within `start` hold up heartbeats: after this time others have their turn. */
const BEGIN_MS_MAX = 10;
/** So many are begun between two looks at the clock. */
const BEGINS_PER_LOOK = 16;

/** What the slots are given. */
export interface SlotsOptions {
  readonly slots: number;
  readonly pool: Resources;
  /** The pool's GPUs by name; without it they are called 0, 1 and so on. */
  readonly devices?: readonly Device[] | undefined;
  /** Where the worker's time ends: so long, by the context's clock, it lets attempts run. */
  readonly workUntilMs?: number | undefined;
  readonly executors: readonly Pick<Executor, "kind" | "start">[];
  readonly outbox: Ref<OutboxMessage>;
}

/** The slots of a worker. */
export function slots(options: SlotsOptions): Start<SlotsMessage> {
  return (context) => new Slots(context, options);
}

class Slots implements Actor<SlotsMessage> {
  readonly #context: Context<SlotsMessage>;
  readonly #options: SlotsOptions;
  readonly #executors: Executors;
  readonly #templates = new Templates();
  readonly #free: Free;
  readonly #offered: Offered;
  readonly #line = new Line();
  readonly #logs: LogsSource;
  /** All leases whose results are not settled; of those that have one, only the key. */
  readonly #held = new Map<string, Held | "finished">();
  /** Those whose evaluators did not end within `start`. */
  readonly #running = new Map<string, Held>();
  readonly #attempts = new Map<number, Held>();
  /** Results that are not settled. */
  #waiting = 0;
  #finished: Finished[] = [];
  #link: Ref<LinkMessage> | undefined;
  #loadTold = "";
  #begun = 0;
  #beginUntilMs = 0;
  #isPaused = false;
  #stopDueMs: number | undefined;
  #stopTimer: Timer | undefined;
  #isEmptyTold = false;

  constructor(context: Context<SlotsMessage>, options: SlotsOptions) {
    this.#context = context;
    this.#options = options;
    this.#executors = new Map(options.executors.map((executor) => [executor.kind, executor]));
    this.#logs = new LogsSource(context);
    this.#free = new Free(options.slots, options.pool, options.devices);
    this.#offered = { ...options, free: this.#free };
    context.send(options.outbox, { type: "slots_started", slots: context.self });
  }

  receive(message: SlotsMessage): void {
    if (!this.#isPaused) this.#beginUntilMs = this.#context.now() + BEGIN_MS_MAX;
    this.#handle(message);
    this.#flush();
  }

  exited(ref: Ref<never>, reason: ExitReason): void {
    const held = this.#attempts.get(ref.id);
    this.#attempts.delete(ref.id);
    if (held === undefined || held.state !== "running") return;
    held.crash = reason.type === "crashed" ? reason.message : reason.type;
    if (held.hasEvaluatorEnded) this.#finishCrashed(held);
    this.#flush();
  }

  turnEnded(): void {
    const load = { type: "load", running: this.#running.size, queued: this.#line.length } as const;
    const told = `${load.running} ${load.queued}`;
    if (this.#link === undefined || told === this.#loadTold) return;
    this.#loadTold = told;
    this.#context.send(this.#link, load);
  }

  #handle(message: SlotsMessage): void {
    switch (message.type) {
      case "orders":
        return message.orders.forEach((order) => this.#order(order));
      case "settled":
        return this.#settled(message.keys);
      case "attempt_over":
        return this.#over(message.key, message.end, message.elapsedMs);
      case "evaluator_ended":
        return this.#evaluatorEnded(message.key);
      case "attach":
        return this.#attach(message.link, message.session);
      case "not_kept":
        return message.leases.forEach((lease) => this.#notKept(lease));
      case "waiting":
        return message.keys.forEach((key) => this.#noteWaiting(key));
      case "devices_out":
        return this.#devicesOut(message.out);
      case "logs_started":
        this.#logs.logs = message.logs;
        return;
      case "stop":
        return this.#stop(message.graceMs);
      case "grace_over":
        return this.#handBack();
      case "go_on":
        this.#isPaused = false;
        this.#beginUntilMs = this.#context.now() + BEGIN_MS_MAX;
        return this.#beginNext();
    }
  }

  #attach(link: Ref<LinkMessage>, session: number): void {
    this.#link = link;
    this.#loadTold = "";
    const nowMs = this.#context.now();
    const held = [];
    for (const each of this.#held.values()) if (each !== "finished") held.push(each.listed(nowMs));
    // Results of before go first, so that each lease is in one of the two lists.
    this.#flush();
    this.#context.send(this.#options.outbox, { type: "attach", link, session, held });
  }

  #order(order: Order): void {
    switch (order.type) {
      case "assign":
        return this.#assign(order);
      case "recall":
        return this.#takeOutOfLine(order, "returned");
      case "cancel":
        return this.#cancel(order);
    }
  }

  #assign(assign: Assign): void {
    const key = leaseKey(assign);
    if (this.#held.has(key)) return;
    const template = this.#templates.read(assign.template);
    if (typeof template === "string") return this.#answer(key, assign, evaluatorFailed(template, true));
    const refusal = this.#refusal(assign, template);
    if (refusal !== undefined) return this.#refuse(key, assign, refusal);
    const held = new Held(key, assign, template);
    this.#held.set(key, held);
    this.#line.put(held);
    this.#beginNext();
    held.keepPayload();
  }

  /** Why a lease is answered without being queued. */
  #refusal({ devices }: Assign, template: TaskTemplate): Refusal | undefined {
    const refusal = kindRefusal(template.evaluator.kind, this.#executors);
    if (refusal !== undefined) return refusal;
    if (this.#stopDueMs !== undefined || this.#line.length >= QUEUED_MAX) {
      return { end: { state: "returned" } };
    }
    return needRefusal(template, devices, this.#offered, this.#context.now());
  }

  #refuse(key: string, lease: Lease, { end, message }: Refusal): void {
    if (message !== undefined) {
      this.#context.log("info", `an attempt was handed back: ${message}`, { lease: key });
    }
    this.#answer(key, lease, end);
  }

  /** Those that wait for a device that went out of service are somebody else's to run. */
  #devicesOut(out: readonly DeviceTrouble[]): void {
    if (!this.#free.devices.setOut(out)) return;
    for (const held of this.#held.values()) {
      if (held === "finished" || held.state !== "queued" || held.devices === undefined) continue;
      const refusal = devicesRefusal(held.devices, held.template.resources, this.#free.devices);
      if (refusal === undefined) continue;
      this.#line.leave(held, "finished");
      this.#refuse(held.key, held.lease, refusal);
    }
    this.#beginNext();
  }

  /** Begins in order: one that does not fit holds up those behind it, or it would never fit. */
  #beginNext(): void {
    for (
      let next = this.#line.first();
      next !== undefined && this.#mayBegin(next);
      next = this.#line.first()
    ) {
      this.#begin(next);
    }
  }

  #mayBegin(held: Held): boolean {
    return !this.#isPaused && this.#waiting < WAITING_RESULTS_MAX &&
      this.#free.can(held);
  }

  #begin(held: Held): void {
    this.#line.leave(held, "running");
    const devices = this.#free.take(held);
    held.startedMs = this.#context.now();
    const early: ExecutorEvent[] = [];
    let isWithin = true;
    const running = startEvaluator(this.#executors, held, devices, (event) => {
      if (event.type === "output") this.#logs.printed(held, event);
      else if (isWithin) early.push(event);
      else this.#fromOutside(held, event);
    });
    isWithin = false;
    held.payload = NO_PAYLOAD;
    if (!this.#endedEarly(held, early) && running !== undefined) this.#supervise(held, running, early);
    this.#begun += 1;
    if (this.#begun % BEGINS_PER_LOOK !== 0 || this.#context.now() <= this.#beginUntilMs) return;
    this.#isPaused = true;
    this.#context.send(this.#context.self, { type: "go_on" });
  }

  #endedEarly(held: Held, early: readonly ExecutorEvent[]): boolean {
    const end = earlyEnd(early);
    if (end === undefined) return false;
    if (early.length > 1) {
      const measured = { lease: held.lease, reports: earlyReports(early) };
      this.#context.send(this.#options.outbox, { type: "reports", measured });
    }
    this.#finish(held, end, this.#context.now() - held.startedMs);
    return true;
  }

  #supervise(held: Held, running: Running, early: readonly ExecutorEvent[]): void {
    this.#running.set(held.key, held);
    const { key, lease, startedMs, template: { deadlineMs, graceMs } } = held;
    const { outbox } = this.#options;
    const start = attempt({
      key,
      lease,
      running,
      startedMs,
      deadlineMs,
      graceMs,
      slots: this.#context.self,
      outbox,
    });
    const actor = this.#context.spawn(`attempt:${key}`, start);
    held.actor = actor;
    this.#attempts.set(actor.id, held);
    for (const event of early) this.#context.send(actor, event);
  }

  /** Called by an executor, between turns. */
  #fromOutside(held: Held, event: ExecutorEvent): void {
    if (held.actor !== undefined) this.#context.send(held.actor, event);
    if (event.type === "ended") {
      this.#context.send(this.#context.self, { type: "evaluator_ended", key: held.key });
    }
  }

  #over(key: string, end: AttemptEnd, elapsedMs: number): void {
    const held = this.#running.get(key);
    if (held === undefined) return;
    this.#finish(held, end, elapsedMs);
    this.#beginNext();
  }

  #evaluatorEnded(key: string): void {
    const held = this.#running.get(key);
    if (held === undefined) return;
    held.hasEvaluatorEnded = true;
    if (held.crash !== undefined) this.#finishCrashed(held);
  }

  #finishCrashed(held: Held): void {
    const end = evaluatorFailed(`a bug in the worker ended the attempt: ${held.crash ?? ""}`, false);
    this.#finish(held, end, this.#context.now() - held.startedMs);
    this.#beginNext();
  }

  #finish(held: Held, end: AttemptEnd, elapsedMs: number): void {
    held.state = "finished";
    this.#running.delete(held.key);
    this.#logs.over(held.key);
    this.#free.give(held);
    this.#answer(held.key, held.lease, end, elapsedMs);
  }

  /** The one place where a lease gets its result. */
  #answer(key: string, lease: Lease, end: AttemptEnd, elapsedMs = 0): void {
    this.#held.set(key, "finished");
    this.#waiting += 1;
    const { epoch, task, attempt } = lease;
    this.#finished.push({ key, result: { type: "result", epoch, task, attempt, end, elapsedMs } });
  }

  #takeOutOfLine(lease: Lease, state: "returned" | "cancelled"): void {
    const held = this.#held.get(leaseKey(lease));
    if (held === undefined || held === "finished" || held.state !== "queued") return;
    this.#line.leave(held, "finished");
    this.#answer(held.key, held.lease, { state });
    // It may have held up the ones behind it.
    this.#beginNext();
  }

  #cancel(cancel: Cancel): void {
    const why = cancel.reason === "duplicate" ? "cancelled" : cancel.reason;
    this.#stopRunning(cancel, why, cancel.graceMs);
    this.#takeOutOfLine(cancel, "cancelled");
  }

  #notKept(lease: Lease): void {
    const held = this.#running.get(leaseKey(lease));
    if (held !== undefined) this.#stopRunning(lease, "cancelled", held.template.graceMs);
    this.#takeOutOfLine(lease, "cancelled");
  }

  #stopRunning(lease: Lease, why: StopCause, graceMs: number): void {
    const held = this.#running.get(leaseKey(lease));
    if (held?.actor !== undefined) this.#context.send(held.actor, { type: "stop", why, graceMs });
  }

  #settled(keys: readonly string[]): void {
    for (const key of keys) {
      if (this.#held.get(key) !== "finished") continue;
      this.#held.delete(key);
      this.#waiting -= 1;
    }
    this.#beginNext();
  }

  #noteWaiting(key: string): void {
    if (this.#held.has(key)) return;
    this.#held.set(key, "finished");
    this.#waiting += 1;
  }

  /** Asked again, the earlier end of the grace period counts. */
  #stop(graceMs: number): void {
    const dueMs = this.#context.now() + graceMs;
    if (this.#stopDueMs !== undefined && this.#stopDueMs <= dueMs) return;
    this.#stopDueMs = dueMs;
    if (this.#stopTimer !== undefined) this.#context.cancel(this.#stopTimer);
    this.#stopTimer = this.#context.after(graceMs, { type: "grace_over" });
    for (let held = this.#line.first(); held !== undefined; held = this.#line.first()) {
      this.#line.leave(held, "finished");
      this.#answer(held.key, held.lease, { state: "returned" });
    }
  }

  #handBack(): void {
    for (const held of this.#running.values()) {
      this.#stopRunning(held.lease, "returned", Math.min(held.template.graceMs, HAND_BACK_GRACE_MS));
    }
  }

  #flush(): void {
    if (this.#finished.length > 0) {
      this.#context.send(this.#options.outbox, { type: "results", finished: this.#finished });
      this.#finished = [];
    }
    if (this.#stopDueMs === undefined || this.#isEmptyTold || this.#running.size > 0) return;
    this.#isEmptyTold = true;
    this.#context.send(this.#options.outbox, { type: "slots_empty" });
  }
}
