/**
 * The mutants: each breaks one promise in the world around what is shipped, and names the checkers that must notice.
 *
 * @module
 */
import { findTask } from "../../master/store/memory_apply.ts";
import type { Committed, Queries, Store, StoreChange, StoreResult } from "../../master/store/store.ts";
import { decode, encode } from "../../shared/protocol/codec.ts";
import type { Epoch } from "../../shared/model/ids.ts";
import { isRecord } from "../../shared/space/problem.ts";
import { WatchedDisk } from "./disk.ts";
import { METRIC } from "./evaluator.ts";
import type { CheckerName } from "./findings.ts";
import type { Mutant } from "./mutant.ts";
import type { Tamper } from "./network.ts";
import type { FaultRates, Plan } from "./plan.ts";
import type { Cargo } from "./wire.ts";

/** A mutant, and who must notice it. */
export interface NamedMutant {
  readonly name: string;
  readonly mutant: Mutant;
  readonly caughtBy: readonly CheckerName[];
  /** Faults without which it does nothing. */
  readonly adjust: (plan: Plan) => Plan;
}

const same = (plan: Plan): Plan => plan;
const withRates = (rates: Partial<FaultRates>) => (plan: Plan): Plan => ({
  ...plan,
  rates: { ...plan.rates, ...rates },
});

/** All of them. */
export const MUTANTS: readonly NamedMutant[] = [
  {
    name: "a store that says yes to a commit that the disk refused",
    mutant: { store: (store) => new YesStore(store) },
    caughtBy: ["acknowledged_is_durable", "submissions_kept", "told_once", "log_complete"],
    adjust: (plan) => ({ ...plan, disk: { ...plan.disk, refused: 0.3 } }),
  },
  {
    name: "a store that tells other measurements after a restart",
    mutant: { store: (store) => new LyingStore(store) },
    caughtBy: ["search_replays"],
    adjust: (plan) => ({
      ...withRates({ masterKill: 4 })(plan),
      workload: { ...plan.workload, experiments: 2, trialsMax: 40 },
    }),
  },
  {
    name: "an epoch that is not raised",
    mutant: { disk: (observer) => new OldEpochDisk(observer) },
    caughtBy: ["epoch_new", "lease_once"],
    adjust: withRates({ masterKill: 4 }),
  },
  {
    name: "a disk that takes a second outcome for the first",
    mutant: { disk: (observer) => new ForgetfulDisk(observer, "outcomes") },
    caughtBy: ["one_outcome"],
    adjust: withRates({ workerPause: 4, partition: 4 }),
  },
  {
    name: "a disk that forgets how attempts ended",
    mutant: { disk: (observer) => new ForgetfulDisk(observer, "ends") },
    caughtBy: ["retries_bounded", "acknowledged_is_durable"],
    adjust: (plan) => ({ ...plan, evaluator: { ...plan.evaluator, failed: 0.4 } }),
  },
  {
    name: "a worker that says it has a slot more than it has",
    mutant: { extraSlots: 1 },
    caughtBy: ["slots_kept"],
    adjust: same,
  },
  {
    name: "a network that brings each third frame to a client twice",
    mutant: { tamper: everyThird((cargo) => [cargo, cargo]) },
    caughtBy: ["log_complete"],
    adjust: same,
  },
  {
    name: "a network that loses each third frame to a client",
    mutant: { tamper: everyThird(() => []) },
    caughtBy: ["log_complete", "liveness"],
    adjust: same,
  },
  {
    name: "a worker that forgets its outbox at reattachment",
    mutant: { tamper: forgetsOutbox },
    caughtBy: ["liveness", "all_settled"],
    adjust: withRates({ reset: 10 }),
  },
];

/** Passes everything on. */
class PassingStore implements Store {
  protected readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  open(done: Parameters<Store["open"]>[0]): void {
    this.store.open(done);
  }

  commit(
    epoch: Epoch,
    changes: readonly StoreChange[],
    done: (result: StoreResult<Committed>) => void,
  ): void {
    this.store.commit(epoch, changes, done);
  }

  query<K extends keyof Queries>(
    kind: K,
    ask: Queries[K]["ask"],
    done: (result: StoreResult<Queries[K]["answer"]>) => void,
  ): void {
    this.store.query(kind, ask, done);
  }

  backup(path: string, done: Parameters<Store["backup"]>[1]): void {
    this.store.backup(path, done);
  }

  close(done: Parameters<Store["close"]>[0]): void {
    this.store.close(done);
  }
}

class YesStore extends PassingStore {
  #commit = 0;

  override commit(
    epoch: Epoch,
    changes: readonly StoreChange[],
    done: (result: StoreResult<Committed>) => void,
  ): void {
    super.commit(epoch, changes, (result) => {
      if (result.ok) this.#commit = result.value.commit;
      const verdicts = changes.map(() => ({ type: "recorded" as const }));
      done(result.ok ? result : { ok: true, value: { commit: this.#commit + 1, verdicts } });
    });
  }
}

class LyingStore extends PassingStore {
  override query<K extends keyof Queries>(
    kind: K,
    ask: Queries[K]["ask"],
    done: (result: StoreResult<Queries[K]["answer"]>) => void,
  ): void {
    super.query(kind, ask, (result) => {
      if (kind === "history_outcomes" && result.ok && Array.isArray(result.value)) {
        for (const [index, row] of result.value.entries()) {
          if (row.metrics !== null) result.value[index] = { ...row, metrics: { [METRIC]: index % 3 } };
        }
      }
      done(result);
    });
  }
}

class OldEpochDisk extends WatchedDisk {
  override addEpoch(epoch: Epoch): void {
    super.addEpoch(this.state.epochs[0] ?? epoch);
  }
}

class ForgetfulDisk extends WatchedDisk {
  readonly #forgets: "outcomes" | "ends";

  constructor(observer: ConstructorParameters<typeof WatchedDisk>[0], forgets: "outcomes" | "ends") {
    super(observer);
    this.#forgets = forgets;
  }

  override apply(changes: readonly StoreChange[]): Committed {
    for (const change of changes) {
      if (change.type !== "outcome" && change.type !== "attempt_ended") continue;
      const task = findTask(this.state, change.type === "outcome" ? change.task : change.lease.task);
      if (task === undefined) continue;
      if (this.#forgets === "ends") task.ended.clear();
      else if (change.type === "outcome") task.outcome = undefined;
    }
    return super.apply(changes);
  }
}

/** Over all clients of all runs: which frames are hit does not matter. */
function everyThird(change: (cargo: Cargo) => readonly Cargo[]): Tamper {
  let frames = 0;
  return (to, cargo, node) => {
    if (cargo.type !== "frame" || to !== "dialer" || !node.startsWith("c")) return [cargo];
    frames += 1;
    return frames % 3 === 0 ? change(cargo) : [cargo];
  };
}

/** Takes finished leases out of `register`, and the results that follow it. */
function forgetsOutbox(...[to, cargo, node]: Parameters<Tamper>): ReturnType<Tamper> {
  if (cargo.type !== "frame" || to !== "master" || !node.startsWith("w")) return [cargo];
  const envelopes = decode(cargo.bytes);
  if (!Array.isArray(envelopes) || !isRecord(envelopes[0]) || envelopes[0]["type"] !== "register") {
    return [cargo];
  }
  const { leases } = envelopes[0];
  const left = Array.isArray(leases)
    ? leases.filter((each) => !isRecord(each) || each["state"] !== "finished")
    : [];
  return [{ type: "frame", bytes: encode([{ ...envelopes[0], leases: left }]) }];
}
