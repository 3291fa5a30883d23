/**
 * The router of changes: one log subscription, many who wait for their own part of it.
 *
 * Promise: who listens to a group before its reply came, or as soon as it came, misses none of its changes: those of
 * groups that are still unnamed are kept until every submission on the way has its name.
 *
 * @module
 */
import type { Change } from "../shared/model/change.ts";
import type { GroupId } from "../shared/model/ids.ts";
import type { ChangeEnvelope } from "../shared/protocol/client_envelopes.ts";
import type { LinkMessage } from "./link_messages.ts";

/** How long the log stays open for whoever may come next: opening it costs a round trip. */
const LINGER_MS = 250;

/** Who waits for the changes of one group. */
export interface LogListener {
  change(change: Change): void;
  /** What came together has been told. */
  flush(): void;
  /** The log cannot go on, the connection is over for good, or the listener itself threw. */
  broken(error: Error): void;
}

/** Hands changes to those who wait for them. */
export class LogRouter {
  readonly #send: (message: LinkMessage) => void;
  readonly #listeners = new Map<string, Set<LogListener>>();
  /** Changes of groups that nobody has named yet. */
  #unnamed = new Map<string, Change[]>();
  /** How many wait for the name of their group, by what it begins with. */
  readonly #expected = new Map<string, number>();
  readonly #touched = new Set<LogListener>();
  #subscription: string | undefined;
  #opened = 0;
  #isOpen = false;
  #end: Error | undefined;
  #isLeaving = false;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #waiting: { readonly opened: () => void; readonly failed: (error: Error) => void }[] = [];
  #lastPrefix = "/";
  #lastGroup = "";

  constructor(send: (message: LinkMessage) => void) {
    this.#send = send;
  }

  /** Calls once every change from then on will be told. */
  whenOpen(opened: () => void, failed: (error: Error) => void): void {
    if (this.#end !== undefined) return failed(this.#end);
    if (this.#isOpen) return opened();
    this.#waiting.push({ opened, failed });
    if (this.#subscription !== undefined) return;
    this.#subscription = `log-${++this.#opened}`;
    this.#send({ type: "subscribe", id: this.#subscription, kind: "log", after: null });
  }

  /** A group whose id begins so is about to be made. */
  expect(prefix: string): void {
    this.#expected.set(prefix, (this.#expected.get(prefix) ?? 0) + 1);
  }

  /** It was made, or will not be. */
  unexpect(prefix: string): void {
    const left = (this.#expected.get(prefix) ?? 1) - 1;
    if (left > 0) this.#expected.set(prefix, left);
    else this.#expected.delete(prefix);
    if (this.#expected.size === 0) this.#unnamed.clear();
  }

  /** From now on this one is told of a group, beginning with what came before its name did. */
  listen(group: GroupId, listener: LogListener): void {
    const listeners = this.#listeners.get(group);
    if (listeners === undefined) this.#listeners.set(group, new Set([listener]));
    else listeners.add(listener);
    const before = this.#unnamed.get(group);
    if (before === undefined) return;
    this.#unnamed.delete(group);
    for (const change of before) guarded(listener, () => listener.change(change));
    guarded(listener, () => listener.flush());
  }

  unlisten(group: GroupId, listener: LogListener): void {
    const listeners = this.#listeners.get(group);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(group);
    this.#closeIfIdle();
  }

  /** Whether this is an envelope of the log. */
  owns(subscription: string): boolean {
    return subscription === this.#subscription;
  }

  began(): void {
    this.#isOpen = true;
    for (const { opened } of this.#waiting.splice(0)) opened();
  }

  changed({ changes }: ChangeEnvelope): void {
    for (const change of changes) this.#route(change);
    for (const listener of this.#touched) guarded(listener, () => listener.flush());
    this.#touched.clear();
  }

  /** The client is closing: nothing is kept open any longer. */
  leave(): void {
    this.#isLeaving = true;
    clearTimeout(this.#linger);
  }

  /** Everyone who waits must find out in another way. A later `whenOpen` opens a new log, unless it is for good. */
  broken(error: Error, isForGood: boolean): void {
    if (isForGood) this.#end = error;
    if (isForGood) this.leave();
    this.#subscription = undefined;
    this.#isOpen = false;
    for (const { failed } of this.#waiting.splice(0)) failed(error);
    const listeners = [...this.#listeners.values()].flatMap((each) => [...each]);
    this.#listeners.clear();
    for (const listener of new Set(listeners)) listener.broken(error);
  }

  #route(change: Change): void {
    const group = this.#groupOf(change);
    const listeners = this.#listeners.get(group);
    if (listeners !== undefined) {
      for (const listener of listeners) {
        try {
          listener.change(change);
        } catch (error) {
          listener.broken(asError(error));
        }
        this.#touched.add(listener);
      }
    } else if (this.#expected.size > 0 && this.#isExpected(group)) {
      const before = this.#unnamed.get(group);
      if (before === undefined) this.#unnamed.set(group, [change]);
      else before.push(change);
    }
  }

  #isExpected(group: string): boolean {
    for (const prefix of this.#expected.keys()) if (group.startsWith(prefix)) return true;
    return false;
  }

  #groupOf(change: Change): string {
    switch (change.kind) {
      case "submitted":
        return change.group;
      case "experiment":
        return change.experiment;
      case "ended":
      case "attempt_ended": {
        const { task } = change;
        // Changes come in runs of one group: to compare is cheaper than to cut a new text for each.
        if (task.startsWith(this.#lastPrefix)) return this.#lastGroup;
        this.#lastPrefix = task.slice(0, task.lastIndexOf("/") + 1);
        return this.#lastGroup = this.#lastPrefix.slice(0, -1);
      }
    }
  }

  /** A client that waits for nothing is not told of everything, but who submits again at once finds the log open. */
  #closeIfIdle(): void {
    if (!this.#isIdle || this.#linger !== undefined || this.#isLeaving) return;
    this.#linger = setTimeout(() => {
      this.#linger = undefined;
      if (!this.#isIdle || this.#subscription === undefined) return;
      this.#send({ type: "unsubscribe", id: this.#subscription });
      this.#subscription = undefined;
      this.#isOpen = false;
    }, LINGER_MS);
  }

  get #isIdle(): boolean {
    return this.#listeners.size === 0 && this.#expected.size === 0 && this.#waiting.length === 0;
  }
}

/** What listeners call is the user's code; it runs within the link's turn, which must outlive it. */
function guarded(listener: LogListener, call: () => void): void {
  try {
    call();
  } catch (error) {
    listener.broken(asError(error));
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
