/**
 * Faults of the world around what is shipped: a store, a disk, a network and a worker that do not keep their word.
 *
 * @module
 */
import { findTask } from "../../../master/store/memory_apply.ts";
import type { Committed, Queries, Store, StoreChange, StoreResult } from "../../../master/store/store.ts";
import { decode, encode } from "../../../shared/protocol/codec.ts";
import type { Epoch } from "../../../shared/model/ids.ts";
import { isRecord } from "../../../shared/space/problem.ts";
import { WatchedDisk } from "../disk.ts";
import { METRIC } from "../evaluator.ts";
import type { Tamper } from "../network.ts";
import type { WorldMutant } from "./named_mutant.ts";
import { all, disk, evaluator, muchSearch, rates } from "./plans.ts";
import type { Cargo } from "../wire.ts";

/** What breaks a promise outside the source. */
export const WORLD_MUTANTS: readonly WorldMutant[] = [
  {
    name: "refused_commit_says_yes",
    fault: "a store says yes to a commit that the disk refused",
    world: { store: (store) => new YesStore(store) },
    caughtBy: ["acknowledged_is_durable", "submissions_kept", "told_once", "log_complete"],
    adjust: disk({ refused: 0.3 }),
  },
  {
    name: "history_tells_other_measurements",
    fault: "a store tells other measurements after a restart",
    world: { store: (store) => new LyingStore(store) },
    caughtBy: ["search_replays"],
    adjust: all(rates({ masterKill: 4 }), muchSearch),
  },
  {
    name: "disk_keeps_old_epoch",
    fault: "a disk gives the first epoch to each life of the cluster",
    world: { disk: (observer) => new OldEpochDisk(observer) },
    caughtBy: ["epoch_new", "lease_once"],
    adjust: rates({ masterKill: 4 }),
  },
  {
    name: "disk_forgets_outcomes",
    fault: "a disk takes a second outcome for the first",
    world: { disk: (observer) => new ForgetfulDisk(observer, "outcomes") },
    caughtBy: ["one_outcome", "acknowledged_is_durable"],
    adjust: rates({ workerPause: 4, partition: 4 }),
  },
  {
    name: "disk_forgets_ends",
    fault: "a disk forgets how attempts ended",
    world: { disk: (observer) => new ForgetfulDisk(observer, "ends") },
    caughtBy: ["retries_bounded", "acknowledged_is_durable"],
    adjust: evaluator({ failed: 0.4 }),
  },
  {
    name: "worker_claims_another_slot",
    fault: "a worker says that it has a slot more than it has",
    world: { extraSlots: 1 },
    caughtBy: ["slots_kept"],
  },
  {
    name: "network_doubles_frames",
    fault: "a network brings each third frame to a client twice",
    world: { tamper: everyThird((cargo) => [cargo, cargo]) },
    caughtBy: ["log_complete"],
  },
  {
    name: "network_loses_frames",
    fault: "a network loses each third frame to a client from the middle of what it carries",
    world: { tamper: everyThird(() => []) },
    caughtBy: ["log_complete"],
  },
  {
    name: "register_without_finished",
    fault: "a worker comes back without the results that it has not delivered",
    world: { tamper: forgetsOutbox },
    caughtBy: ["stale_words"],
    adjust: rates({ reset: 10 }),
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
