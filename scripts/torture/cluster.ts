/**
 * The cluster that is tortured: a master, and workers that each stand behind a bad network of their own.
 *
 * @module
 */
import type { Client } from "../../client/mod.ts";
import { command, Fleet } from "../../tests/integration/fleet/fleet.ts";
import type { Member } from "../../tests/integration/fleet/member.ts";
import { Proxy } from "../../tests/integration/fleet/proxy.ts";
import type { WorkerRole } from "../../tests/integration/fleet/role.ts";
import { IGNORE_FILE_LIMIT } from "../../tests/integration/fleet/small_disk.ts";

/** Short, so that ten minutes hold many ends of many waits: doubtful after 1.5 s, left after 2.5 s, lost after 4 s. */
const INTERVALS = { heartbeatMs: 1_000, lostAfterMs: 4_000 };
/** Workers, and the slots of each: more than two cores need, little enough that they sleep most of the time. */
export const WORKERS = 4;
const SLOTS = 3;
/** What SIGTERM leaves for running attempts. */
const GRACE_MS = 300;
const HEAP_MIB = 128;

/** A worker's place: its folder, its network, and the process that stands there now. */
export interface Place {
  readonly name: `w${number}`;
  readonly proxy: Proxy;
  member: Member;
  /** Someone does something to it. */
  isBusy: boolean;
}

/** The processes and the networks between them. */
export class TorturedCluster {
  readonly fleet = new Fleet();
  readonly places: Place[] = [];
  /** Every worker process there ever was, and its file of evaluations. */
  readonly workers: { readonly place: string; readonly file: string; readonly member: Member }[] = [];
  readonly evaluations = `${this.fleet.folder}/evaluations`;
  #seats: { master: Member; clientProxy: Proxy; client: Client } | undefined;
  #files = 0;
  #isEnding = false;

  /** Starts everything. */
  async start(seed: number): Promise<void> {
    await Deno.mkdir(this.evaluations);
    const master = await this.fleet.master(INTERVALS, IGNORE_FILE_LIMIT);
    const clientProxy = new Proxy(this.fleet.port, seed);
    const client = await this.fleet.client({ url: clientProxy.url });
    this.#seats = { master, clientProxy, client };
    for (let index = 1; index <= WORKERS; index++) {
      const proxy = new Proxy(this.fleet.port, seed + index);
      const name = `w${index}` as const;
      this.places.push({ name, proxy, member: this.startWorker(name, proxy), isBusy: false });
    }
  }

  get master(): Member {
    return this.#started.master;
  }

  get client(): Client {
    return this.#started.client;
  }

  get clientProxy(): Proxy {
    return this.#started.clientProxy;
  }

  get #started() {
    if (this.#seats === undefined) throw new Error("the cluster was not started");
    return this.#seats;
  }

  /** Starts a master again over the same folder and port. */
  async startMaster(): Promise<void> {
    if (this.#isEnding) return;
    this.#started.master = await this.fleet.master(INTERVALS, IGNORE_FILE_LIMIT);
  }

  /** Starts a worker, in a place's own folder unless told. @throws Error where all is being ended */
  startWorker(place: string, proxy: Proxy, folder = this.folderOf(place)): Member {
    if (this.#isEnding) throw new Error("nothing is started any more");
    const file = `${this.evaluations}/${place}.${++this.#files}.jsonl`;
    const role: WorkerRole = {
      masters: [proxy.url],
      token: this.fleet.token("worker"),
      dataFolder: folder,
      slots: SLOTS,
      graceMs: GRACE_MS,
      heapMiB: HEAP_MIB,
      evaluations: file,
    };
    const member = this.fleet.start(command("worker", role, IGNORE_FILE_LIMIT));
    this.workers.push({ place, file, member });
    return member;
  }

  folderOf(place: string): string {
    return `${this.fleet.folder}/${place}`;
  }

  /** Asks everything to stop, workers first, and waits; what does not is killed. */
  async stop(): Promise<void> {
    for (const member of [...this.places.map((place) => place.member), this.master]) {
      member.signal("SIGTERM");
      await within(10_000, member.ended());
    }
  }

  /** Ends all that runs, by its id. */
  async kill(): Promise<void> {
    this.#isEnding = true;
    await this.fleet.stopAll();
    const proxies = [...this.places.map(({ proxy }) => proxy)];
    if (this.#seats !== undefined) proxies.push(this.#seats.clientProxy);
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }
}

/** Whether something was fulfilled in time. */
export async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), ms));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
