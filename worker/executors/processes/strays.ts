/**
 * Strays: processes that an evaluator started and that left its group, as `setsid` does. Their environment tells whose they are.
 *
 * Promise: when the search is over, no process with the mark is alive that was alive when it began, nor any that one of
 * those began meanwhile; not even a chain of them, of which each lives only until it has forked the next.
 * Only Linux shows the environment of processes; elsewhere strays are not found, nor in a container whose /proc is another's.
 * One that has cleared its environment is found as long as it descends from a process that is found.
 *
 * @module
 */
import {
  childrenOf,
  isGone,
  listsOwnNumbers,
  lookAt,
  numbersAfter,
  numbersFrom,
  youngestNumber,
} from "./strays_look.ts";

/** So many processes are looked at before others of this thread get their turn. */
const LOOKED_AT_MAX = 200;
/** So often all are looked at again, because a stray was found; each look but the last finds one. */
const LOOKS_MAX = 200;
/** So often a search goes after numbers that were given while it looked. On a very busy machine there are always some. */
const CHASES_MAX = 5_000;
/** A process may show no environment for so long: it is about to run a program, or is dying. */
const UNCLEAR_MAX_MS = 50;
/** What was killed is gone by then, unless the system holds it for a reason of its own. */
const GONE_WITHIN_MS = 2_000;

/**
 * Ends all processes with a mark, and waits until they are gone.
 *
 * @param isMeant tells by the value of `ESPALIER_LEASE`
 * @param eldest where it is known: the first process that can be one, started a short time ago. Numbers are given in turn,
 * and to look at a few processes costs little
 */
export async function endStrays(isMeant: (mark: string) => boolean, eldest?: number): Promise<void> {
  if (Deno.build.os === "linux" && listsOwnNumbers()) await new Search(isMeant, eldest).run();
}

/**
 * All that descends from a process, stopped so that it begins nothing more: for what hides its environment, and its parent
 * is still there. What lost its parent before is found by its mark alone.
 */
export function holdDescendants(parent: number): readonly number[] {
  if (Deno.build.os !== "linux" || !listsOwnNumbers()) return [];
  const held: number[] = [];
  const parents = [parent];
  for (let next = parents.pop(); next !== undefined; next = parents.pop()) {
    signal(next, "SIGSTOP");
    const children = childrenOf(next);
    held.push(...children);
    parents.push(...children);
  }
  return held;
}

/** Ends what was held. */
export function killHeld(pids: readonly number[]): void {
  for (const pid of pids) signal(pid, "SIGKILL");
}

class Search {
  readonly #isMeant: (mark: string) => boolean;
  readonly #eldest: number | undefined;
  readonly #killed = new Set<number>();
  /** Those that showed no environment, and are asked again. */
  readonly #unclear = new Map<number, { readonly seen: "unclear" | "absent"; readonly untilMs: number }>();
  #looked = 0;

  constructor(isMeant: (mark: string) => boolean, eldest: number | undefined) {
    this.#isMeant = isMeant;
    this.#eldest = eldest;
  }

  async run(): Promise<void> {
    for (let look = 0; look < LOOKS_MAX; look += 1) {
      const killedBefore = this.#killed.size;
      await this.#lookAndChase();
      if (this.#killed.size === killedBefore) break;
    }
    const untilMs = performance.now() + GONE_WITHIN_MS;
    while (![...this.#killed].every(isGone) && performance.now() < untilMs) await pause(1);
  }

  /**
   * Looks at all, then at those whose numbers were given meanwhile, until a look tells all: what a stray began before it was
   * found has a number behind those that were looked at, and a process that was killed begins none.
   */
  async #lookAndChase(): Promise<void> {
    let seen = youngestNumber();
    let isClear = await this.#lookAtEach(numbersFrom(this.#eldest, seen));
    for (let chase = 0; !isClear && chase < CHASES_MAX; chase += 1) {
      // Those that are about to run a program, or to end, need their time.
      if (chase > 0 && this.#unclear.size > 0) await pause(1);
      const youngest = youngestNumber();
      const fresh = seen === undefined || youngest === undefined ? [] : numbersAfter(seen, youngest);
      isClear = await this.#lookAtEach([...this.#unclear.keys(), ...fresh]);
      seen = youngest;
    }
  }

  /** @returns whether each was seen, and none was meant */
  async #lookAtEach(pids: Iterable<number>): Promise<boolean> {
    let isClear = true;
    for (const pid of pids) {
      if (!this.#isClear(pid)) isClear = false;
      this.#looked += 1;
      if (this.#looked % LOOKED_AT_MAX === 0) await pause(0);
    }
    return isClear;
  }

  #isClear(pid: number): boolean {
    if (this.#killed.has(pid)) return true;
    const seen = lookAt(pid);
    if (typeof seen === "object") {
      this.#unclear.delete(pid);
      if (seen.mark === undefined || !this.#isMeant(seen.mark)) return true;
      this.#killed.add(pid);
      // At once: it may be about to begin the next one.
      signal(pid, "SIGKILL");
      return false;
    }
    return this.#isClearWithout(pid, seen);
  }

  /** One that is gone may have begun another before; a number without a process may be of one that is just being made. */
  #isClearWithout(pid: number, seen: "unclear" | "absent"): boolean {
    const nowMs = performance.now();
    const earlier = this.#unclear.get(pid);
    if (earlier?.seen === seen && (seen === "absent" || nowMs >= earlier.untilMs)) {
      this.#unclear.delete(pid);
      return true;
    }
    if (earlier?.seen !== seen) this.#unclear.set(pid, { seen, untilMs: nowMs + UNCLEAR_MAX_MS });
    return false;
  }
}

function signal(pid: number, name: "SIGKILL" | "SIGSTOP"): void {
  try {
    Deno.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
