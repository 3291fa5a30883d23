/**
 * The master's disk: a memory disk that tells what becomes durable, and the faults that are drawn for it.
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import type { Epoch } from "../../shared/model/ids.ts";
import { MemoryDisk } from "../../master/store/memory_disk.ts";
import type { MemoryFaults } from "../../master/store/memory_store.ts";
import type { Committed, StoreChange, StoreVerdict } from "../../master/store/store.ts";
import type { DiskPlan } from "./plan.ts";

/** Who is told what becomes durable. */
export interface DiskObserver {
  epochAdded(epoch: Epoch): void;
  committed(commit: number, changes: readonly StoreChange[], verdicts: readonly StoreVerdict[]): void;
}

/** A disk that is watched. */
export class WatchedDisk extends MemoryDisk {
  readonly #observer: DiskObserver;
  #told = 0;

  constructor(observer: DiskObserver) {
    super();
    this.#observer = observer;
  }

  override addEpoch(epoch: Epoch): void {
    super.addEpoch(epoch);
    this.#observer.epochAdded(epoch);
  }

  override apply(changes: readonly StoreChange[]): Committed {
    const committed = super.apply(changes);
    // A batch that is applied again gets its first answer.
    if (committed.commit > this.#told) {
      this.#told = committed.commit;
      this.#observer.committed(committed.commit, changes, committed.verdicts);
    }
    return committed;
  }
}

/** Faults by chance, until they are switched off. */
export class DiskFaults implements MemoryFaults {
  readonly #random: Random;
  readonly #plan: DiskPlan;
  isFullNow = false;
  isHealed = false;
  refused = 0;
  unanswered = 0;

  constructor(random: Random, plan: DiskPlan) {
    this.#random = random;
    this.#plan = plan;
  }

  latencyMs(): number {
    const { min, max } = this.#plan.latencyMs;
    return min * (max / min) ** this.#random.next();
  }

  commitFate(): "ok" | "refused" | "applied_unanswered" {
    const draw = this.#random.next();
    if (this.isHealed) return "ok";
    if (draw < this.#plan.refused) {
      this.refused += 1;
      return "refused";
    }
    if (draw > 1 - this.#plan.unanswered) {
      this.unanswered += 1;
      return "applied_unanswered";
    }
    return "ok";
  }

  isFull(): boolean {
    return this.isFullNow;
  }
}
