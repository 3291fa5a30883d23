/**
 * An operator's hands on the store: an older copy is put back, all of it is deleted, a second master is started over it.
 *
 * Promise: a disk is replaced only while no master runs over it; over an older copy the operator goes on, once the master
 * has said what is missing, with `--accept-loss`.
 * Not here: when (schedule.ts), what must still hold then (checkers/).
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import { LONG_SLEEP_MS } from "./schedule.ts";
import type { CalamityKind } from "./schedule.ts";
import { Nemesis } from "./nemesis.ts";
import type { DiskCopy, World } from "./world.ts";

/** How long the master is down while its disk is replaced, at most. */
const AWAY_MS_MAX = 20_000;
/** How often the operator looks whether the master says that something is missing. */
const LOOK_EVERY_MS = 5_000;
/** How long the operator thinks about it, at most. */
const DECIDES_WITHIN_MS = 30_000;

/** Does what only a person does to a store. */
export class StoreHands {
  readonly #world: World;
  #copy: DiskCopy | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** @returns what was done, in words; nothing where there was nothing to do it with */
  strike(kind: CalamityKind, random: Random): string | undefined {
    switch (kind) {
      case "storeCopied":
        if (this.#world.disk.state.storeId === "") return undefined;
        this.#copy = this.#world.copyDisk();
        return `the store is copied at commit ${this.#copy.state.commit}`;
      case "storeRestored":
        return this.#restore(random);
      case "storeDeleted":
        return this.#delete(random);
      case "secondMaster":
        return this.#startSecond();
      case "longSleep":
        return new Nemesis(this.#world, random).sleep(LONG_SLEEP_MS);
    }
  }

  #restore(random: Random): string | undefined {
    const copy = this.#copy;
    if (copy === undefined) return undefined;
    this.#world.count("storeRestored");
    if (this.#world.workers.some((worker) => worker.isUp)) this.#world.reached("store_restored");
    const lost = this.#world.disk.state.commit - copy.state.commit;
    this.#replace(copy, random);
    this.#decideOnLoss(random);
    return `the store's copy is put back: ${lost} commits are lost`;
  }

  #delete(random: Random): string | undefined {
    if (this.#world.disk.state.storeId === "") return undefined;
    this.#world.count("storeDeleted");
    if (this.#world.executions.running > 0) this.#world.reached("store_deleted");
    this.#replace(undefined, random);
    return "the store is deleted";
  }

  #replace(copy: DiskCopy | undefined, random: Random): void {
    const { master, loop } = this.#world;
    master.kill();
    this.#world.replaceDisk(copy);
    loop.timer(random.next() * AWAY_MS_MAX, () => this.#world.master.start());
  }

  /** Whenever the master says that something is missing, the operator accepts it after a while. */
  #decideOnLoss(random: Random): void {
    const { loop } = this.#world;
    const look = () => {
      if (this.#world.memory.live?.core.lost === undefined) return void loop.timer(LOOK_EVERY_MS, look);
      loop.timer(random.next() * DECIDES_WITHIN_MS, () => {
        const { master } = this.#world;
        master.acceptLoss();
        master.kill();
        master.start();
        this.#world.reached("loss_accepted");
        loop.timer(LOOK_EVERY_MS, look);
      });
    };
    look();
  }

  #startSecond(): string | undefined {
    const { master } = this.#world;
    if (!master.isUp) return undefined;
    this.#world.count("secondMaster");
    this.#world.printing.hadTwoMasters = true;
    this.#world.reached("two_masters");
    const second = this.#world.addMaster();
    second.start();
    return `${second.name} is started over the store of ${master.name}`;
  }
}
