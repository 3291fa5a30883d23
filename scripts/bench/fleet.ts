/**
 * A master and its workers as real processes, and a client of theirs: what the benchmarks measure.
 *
 * @module
 */
import { type Client, connect } from "../../client/mod.ts";
import { PREFETCH_DEFAULT } from "../../master/start.ts";

/** The shape of a fleet. */
export interface FleetOptions {
  readonly workers: number;
  readonly slots: number;
  readonly prefetchMax?: number;
  /** Workers have all executors that a worker has; by default the built-in ones alone. */
  readonly hasAllExecutors?: boolean;
}

/** A process of the fleet. */
export interface Member {
  readonly pid: number;
  readonly folder: string;
  kill(signal: Deno.Signal): void;
  /** Fulfilled with the next line of its standard output that nobody has waited for. */
  line(): Promise<string>;
  stop(): Promise<void>;
}

/** A fleet that runs. */
export interface Fleet {
  readonly master: Member;
  readonly workers: readonly Member[];
  readonly client: Client;
  /** Starts one more worker, and waits until it is there. */
  addWorker(): Promise<Member>;
  stop(): Promise<void>;
}

const ROLE = new URL("./role.ts", import.meta.url).pathname;

/** Starts a fleet, and waits until every worker is there. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-bench-" });
  const master = start(folder, ["master", folder, String(options.prefetchMax ?? PREFETCH_DEFAULT)]);
  const { url } = JSON.parse(await master.line());
  const { worker: token } = JSON.parse(await Deno.readTextFile(`${folder}/tokens.json`));
  const client = await connect({ url, tokenFile: `${folder}/tokens.json` });
  const workers: Member[] = [];
  const addWorker = () => {
    const own = `${folder}/worker-${workers.length}`;
    const worker = start(own, [
      "worker",
      own,
      String(options.slots),
      url,
      token,
      options.hasAllExecutors === true ? "all" : "builtin",
    ]);
    workers.push(worker);
    return worker;
  };
  for (let i = 0; i < options.workers; i++) addWorker();
  await workersAreThere(client, options.workers);
  return {
    master,
    workers,
    client,
    addWorker: async () => {
      const worker = addWorker();
      await workersAreThere(client, workers.length);
      return worker;
    },
    stop: async () => {
      await client.close();
      await Promise.all(workers.map((worker) => worker.stop()));
      await master.stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function workersAreThere(client: Client, count: number): Promise<void> {
  const there = new Set<string>();
  const all = Promise.withResolvers<void>();
  const end = client.live((entries) => {
    for (const { topic, key, value } of entries) if (topic === "worker" && value !== null) there.add(key);
    if (there.size >= count) all.resolve();
  });
  await all.promise;
  end();
}

function start(folder: string, args: readonly string[]): Member {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ROLE, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = linesOf(process.stdout);
  return {
    pid: process.pid,
    folder,
    kill: (signal) => process.kill(signal),
    line: async () => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`process ${process.pid} ended`);
      return value;
    },
    stop: async () => {
      await process.stdin.close().catch(() => {});
      await process.status;
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

/** The median of some figures. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}
