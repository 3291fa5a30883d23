/**
 * The master's disk: a memory disk that tells what becomes durable, and the faults that are drawn for it.
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import type { Epoch } from "../../shared/model/ids.ts";
import { MemoryDisk } from "../../master/store/memory_disk.ts";
import type { DiskState } from "../../master/store/memory_state.ts";
import type { MemoryFaults } from "../../master/store/memory_store.ts";
import type { Committed, StoreChange, StoreVerdict } from "../../master/store/store.ts";
import type { DiskPlan } from "./plan.ts";

/** A commit that takes so long is slow. */
const SLOW_MS = 100;
/** How long commits take while the disk stalls. */
const STALL_MS = { min: 1_000, max: 8_000 } as const;

/** Who is told what becomes durable. */
export interface DiskObserver {
  epochAdded(epoch: Epoch): void;
  committed(commit: number, changes: readonly StoreChange[], verdicts: readonly StoreVerdict[]): void;
}

/** A disk that is watched. */
export class WatchedDisk extends MemoryDisk {
  readonly #observer: DiskObserver;
  #told: number;

  /** @param state of a copy that is put back */
  constructor(observer: DiskObserver, state?: DiskState) {
    super(state);
    this.#observer = observer;
    this.#told = state?.commit ?? 0;
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

/** What goes wrong with the disk for a while. */
export type DiskTrouble = "full" | "read_only" | "stalled";

/** Faults by chance, until they are switched off. */
export class DiskFaults implements MemoryFaults {
  readonly #random: Random;
  readonly #plan: DiskPlan;
  readonly #count: (kind: "commitSlow" | "commitRefused" | "commitUnanswered") => void;
  readonly #trouble = new Set<DiskTrouble>();
  #fate: ReturnType<MemoryFaults["commitFate"]> = "ok";
  isHealed = false;

  constructor(
    random: Random,
    plan: DiskPlan,
    count: (kind: "commitSlow" | "commitRefused" | "commitUnanswered") => void,
  ) {
    this.#random = random;
    this.#plan = plan;
    this.#count = count;
  }

  /** Whether the commit that is being applied will be told to have failed. */
  get isUnanswered(): boolean {
    return this.#fate === "applied_unanswered";
  }

  has(trouble: DiskTrouble): boolean {
    return this.#trouble.has(trouble);
  }

  begin(trouble: DiskTrouble): void {
    this.#trouble.add(trouble);
  }

  end(trouble: DiskTrouble): void {
    this.#trouble.delete(trouble);
  }

  heal(): void {
    this.isHealed = true;
    this.#trouble.clear();
  }

  latencyMs(operation: Parameters<MemoryFaults["latencyMs"]>[0]): number {
    const { min, max } = this.has("stalled") ? STALL_MS : this.#plan.latencyMs;
    const latencyMs = min * (max / min) ** this.#random.next();
    if (operation === "commit" && latencyMs >= SLOW_MS) this.#count("commitSlow");
    return latencyMs;
  }

  commitFate(): "ok" | "refused" | "applied_unanswered" {
    this.#fate = this.#drawFate();
    if (this.#fate === "refused") this.#count("commitRefused");
    if (this.#fate === "applied_unanswered") this.#count("commitUnanswered");
    return this.#fate;
  }

  isFull(): boolean {
    return this.has("full") || this.has("read_only");
  }

  #drawFate(): "ok" | "refused" | "applied_unanswered" {
    const draw = this.#random.next();
    if (this.isHealed) return "ok";
    if (draw < this.#plan.refused) return "refused";
    return draw > 1 - this.#plan.unanswered ? "applied_unanswered" : "ok";
  }
}
