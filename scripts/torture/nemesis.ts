/**
 * The nemesis: does to a cluster, one after the other and some at once, all that can happen to it.
 *
 * Promise: what it draws depends on its seed alone; whatever it did is healed when `run` and `heal` are done.
 *
 * @module
 */
import type { Random } from "../../shared/actor/random.ts";
import { type Direction, type NetworkFault, Proxy } from "../../tests/integration/fleet/proxy.ts";
import { limitFiles, type SmallDisk } from "../../tests/integration/fleet/small_disk.ts";
import type { Place, TorturedCluster } from "./cluster.ts";
import { FAULT_KINDS, type FaultKind, type FaultLog, type Victim } from "./fault_log.ts";

/** Between two faults; each lasts for as long as it lasts. */
const PAUSE_MAX_MS = 700;
/** A fault that lasts: from well within the timeouts to well beyond them. */
const LASTS_MIN_MS = 200;
const LASTS_MAX_MS = 6_000;
/** Before what was killed is started again. */
const GONE_MAX_MS = 2_000;
/** Faults that go on at once. */
const AT_ONCE_MAX = 3;

const NETWORK: ReadonlySet<FaultKind> = new Set([
  "drop",
  "truncate",
  "half_close",
  "delay",
  "hold",
  "one_way",
  "black_hole",
]);
const OF_MASTER: ReadonlySet<FaultKind> = new Set([
  "kill_master",
  "stop_master",
  "freeze_master",
  "full_disk",
]);

/** Draws faults and does them. */
export class Nemesis {
  readonly #cluster: TorturedCluster;
  readonly #random: Random;
  readonly #log: FaultLog;
  readonly #going = new Set<Promise<void>>();
  readonly #stopped: AbortSignal;
  /** Kinds that this system does not allow. */
  readonly #impossible = new Set<FaultKind>();
  #isMasterBusy = false;
  #isClientBusy = false;
  /** Every kind is done before one is done again. */
  #deck: FaultKind[] = [];

  constructor(cluster: TorturedCluster, random: Random, log: FaultLog, stopped: AbortSignal) {
    this.#cluster = cluster;
    this.#random = random;
    this.#log = log;
    this.#stopped = stopped;
  }

  /** Goes on until it is told to stop, and until all is healed. */
  async run(): Promise<void> {
    while (!this.#stopped.aborted) {
      if (this.#going.size < AT_ONCE_MAX) this.#begin(this.#draw());
      await this.#pause(100 + this.#random.integer(PAUSE_MAX_MS));
    }
    await Promise.all(this.#going);
  }

  #draw(): FaultKind {
    if (this.#deck.length === 0) this.#deck = FAULT_KINDS.filter((kind) => !this.#impossible.has(kind));
    const [kind = "drop"] = this.#deck.splice(this.#random.integer(this.#deck.length), 1);
    return kind;
  }

  #begin(kind: FaultKind): void {
    const doing = this.#do(kind);
    // Its victim is busy: it comes later.
    if (doing === undefined) return void this.#deck.push(kind);
    const going = doing.catch((error) => {
      this.#impossible.add(kind);
      this.#log.say(`${kind} is not possible here: ${error instanceof Error ? error.message : error}`);
    }).then(() => void this.#going.delete(going));
    this.#going.add(going);
  }

  #do(kind: FaultKind): Promise<void> | undefined {
    if (OF_MASTER.has(kind)) return this.#onMaster(() => this.#masterFault(kind));
    if (NETWORK.has(kind) && this.#random.next() < 0.2) return this.#onClient(kind);
    const place = this.#random.pick(this.#cluster.places);
    if (place.isBusy) return undefined;
    if (kind === "kill_both") {
      return this.#onMaster(() => this.#on(place, () => this.#killBoth(place)));
    }
    return this.#on(
      place,
      () => NETWORK.has(kind) ? this.#network(kind, place.name, place.proxy) : this.#worker(kind, place),
    );
  }

  async #on(place: Place, work: () => Promise<void>): Promise<void> {
    place.isBusy = true;
    await work().finally(() => place.isBusy = false);
  }

  #onMaster(work: () => Promise<void>): Promise<void> | undefined {
    if (this.#isMasterBusy) return undefined;
    this.#isMasterBusy = true;
    return work().finally(() => this.#isMasterBusy = false);
  }

  #onClient(kind: FaultKind): Promise<void> | undefined {
    if (this.#isClientBusy) return undefined;
    this.#isClientBusy = true;
    return this.#network(kind, "client", this.#cluster.clientProxy).finally(() => this.#isClientBusy = false);
  }

  /** Does something, waits, and takes it back. */
  async #lasting(
    kind: FaultKind,
    victim: Victim,
    apply: () => unknown,
    heal: () => unknown,
    what = "",
  ): Promise<void> {
    const ms = LASTS_MIN_MS + this.#random.integer(LASTS_MAX_MS);
    const fault = this.#log.begin(kind, victim, `${what}${what === "" ? "" : ", "}for ${ms} ms`);
    try {
      await apply();
      await this.#pause(ms);
    } finally {
      await heal();
      this.#log.end(fault);
    }
  }

  async #network(kind: FaultKind, victim: Victim, proxy: Proxy): Promise<void> {
    const fault = this.#networkFault(kind);
    const what = "direction" in fault ? fault.direction : "";
    await this.#lasting(kind, victim, () => proxy.apply(fault), () => proxy.heal(), what);
  }

  #networkFault(kind: FaultKind): NetworkFault {
    const direction: Direction = this.#random.pick(["up", "down"]);
    switch (kind) {
      case "truncate":
      case "half_close":
      case "hold":
      case "one_way":
        return { type: kind, direction };
      case "delay":
        return { type: kind, maxMs: 5 + this.#random.integer(45) };
      case "black_hole":
        return { type: kind };
      default:
        return { type: "drop" };
    }
  }

  async #masterFault(kind: FaultKind): Promise<void> {
    const { master } = this.#cluster;
    switch (kind) {
      case "freeze_master":
        return await this.#lasting(
          kind,
          "cluster",
          () => master.signal("SIGSTOP"),
          () => master.signal("SIGCONT"),
        );
      case "full_disk":
        return await this.#fill(kind, "cluster", limitFiles(master.pid));
      default:
        return await this.#gone(kind, "cluster", async () => {
          if (kind === "kill_master") return await master.kill();
          master.signal("SIGTERM");
          await master.ended();
        }, () => this.#cluster.startMaster());
    }
  }

  async #fill(kind: FaultKind, victim: Victim, disk: SmallDisk): Promise<void> {
    await this.#lasting(kind, victim, () => disk.fill(), () => disk.makeRoom());
  }

  /** Ends something, and starts it again after a while. */
  async #gone(
    kind: FaultKind,
    victim: Victim,
    end: () => Promise<unknown>,
    start: () => unknown,
  ): Promise<void> {
    const ms = this.#random.integer(GONE_MAX_MS);
    const fault = this.#log.begin(kind, victim, `back after ${ms} ms`);
    await end();
    await this.#pause(ms);
    await start();
    this.#log.end(fault);
  }

  async #killBoth(place: Place): Promise<void> {
    await this.#gone("kill_both", "cluster", async () => {
      await Promise.all([this.#cluster.master.kill(), place.member.kill()]);
    }, async () => {
      place.member = this.#cluster.startWorker(place.name, place.proxy);
      await this.#cluster.startMaster();
    });
  }

  async #worker(kind: FaultKind, place: Place): Promise<void> {
    const { name, proxy, member } = place;
    const start = () => place.member = this.#cluster.startWorker(name, proxy);
    switch (kind) {
      case "freeze_worker":
        return await this.#lasting(
          kind,
          name,
          () => member.signal("SIGSTOP"),
          () => member.signal("SIGCONT"),
        );
      case "full_worker_disk":
        return await this.#fill(kind, name, limitFiles(member.pid));
      case "twin":
        return await this.#twin(place);
      case "stop_worker":
        return await this.#gone(kind, name, () => {
          member.signal("SIGTERM");
          return member.ended();
        }, start);
      case "lose_folder":
        return await this.#gone(kind, name, async () => {
          await member.kill();
          await Deno.remove(this.#cluster.folderOf(name), { recursive: true }).catch(ignoreAbsent);
        }, start);
      default:
        return await this.#gone(kind, name, () => member.kill(), start);
    }
  }

  /** A second process with the name of the first, as after a copied folder. Whoever of the two is heard keeps it. */
  async #twin(place: Place): Promise<void> {
    const { name, proxy } = place;
    const folder = `${this.#cluster.folderOf(name)}-twin`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.copyFile(`${this.#cluster.folderOf(name)}/worker-id`, `${folder}/worker-id`).catch(
      ignoreAbsent,
    );
    const twin = this.#cluster.startWorker(name, proxy, folder);
    await this.#lasting("twin", name, () => {}, () => twin.kill());
    // The first one came back from a break while the second had its name: it was sent away for good.
    if (place.member.hasEnded) place.member = this.#cluster.startWorker(name, proxy);
  }

  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(done, ms);
    this.#stopped.addEventListener("abort", done);
    const stopped = this.#stopped;
    if (stopped.aborted) done();
    return promise;

    function done(): void {
      clearTimeout(timer);
      stopped.removeEventListener("abort", done);
      resolve();
    }
  }
}

/** It was killed before it made one. */
function ignoreAbsent(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
