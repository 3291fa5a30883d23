/**
 * What was done to the cluster, and when: each fault is printed as it happens, and remembered for the judgement.
 *
 * @module
 */

/** Every kind of fault. */
export const FAULT_KINDS = [
  "kill_worker",
  "kill_both",
  "kill_master",
  "stop_worker",
  "stop_master",
  "freeze_worker",
  "freeze_master",
  "drop",
  "truncate",
  "half_close",
  "delay",
  "hold",
  "one_way",
  "black_hole",
  "full_disk",
  "full_worker_disk",
  "twin",
  "lose_folder",
] as const;
/** One of them. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** To whom it was done; `cluster` where every worker feels it. */
export type Victim = "cluster" | "client" | `w${number}`;

/** A fault, from its beginning to its end. */
export interface Fault {
  readonly kind: FaultKind;
  readonly victim: Victim;
  readonly fromMs: number;
  /** Infinity while it lasts. */
  toMs: number;
}

/** All faults of a run. */
export class FaultLog {
  readonly faults: Fault[] = [];
  readonly #startedAtMs = Date.now();

  /** Prints a line with its time. */
  say(text: string): void {
    const seconds = ((Date.now() - this.#startedAtMs) / 1_000).toFixed(1).padStart(7);
    console.log(`${seconds} s  ${text}`);
  }

  begin(kind: FaultKind, victim: Victim, what: string): Fault {
    const fault = { kind, victim, fromMs: Date.now(), toMs: Infinity };
    this.faults.push(fault);
    this.say(`${kind} ${victim}${what === "" ? "" : `: ${what}`}`);
    return fault;
  }

  end(fault: Fault): void {
    fault.toMs = Date.now();
  }

  /** How often each kind was done. */
  counts(): ReadonlyMap<FaultKind, number> {
    const counts = new Map<FaultKind, number>();
    for (const { kind } of this.faults) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts;
  }
}
