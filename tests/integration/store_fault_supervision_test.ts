/**
 * Every actor of a master may crash: what it does comes back, and no task is lost or doubled.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import type { ExperimentHandle } from "../../client/mod.ts";
import type { Gate } from "../../master/gateway/door.ts";
import type { Store } from "../../master/store/store.ts";
import { type Between, InnerMaster } from "./fleet/inner_master.ts";
import { readLedger } from "./fleet/ledger.ts";
import { sleepSearch } from "./fleet/specs.ts";
import { assertVerified } from "./fleet/verified.ts";

/** More than there is time for: the search is cancelled when all faults have been put in. */
const TRIALS = 100_000;

/** An actor, and what its path is. */
const ACTORS: readonly (readonly [string, RegExp])[] = [
  ["store", /^master\/store$/],
  ["cluster", /^master\/cluster$/],
  ["registrar", /^master\/registrar$/],
  ["experiment", /^master\/experiments\/experiment:/],
  ["feed", /\/gateway\/feed$/],
  ["commands", /\/gateway\/commands$/],
  ["sessions", /\/gateway\/sessions\/session:\d+$/],
  ["door", /\/gateway\/door$/],
];

withMaster("every actor of the master may crash during a search", {}, async (master) => {
  const { client, search, told } = await searching(master);
  for (const [name, path] of ACTORS) {
    await more(search, 4);
    master.crash(path);
    await more(search, 4);
    ok(await client.show("last"), name);
  }
  await finished(master, search, told);
  const crashes = master.log.filter((line) => line.includes("a fault was put into"));
  ok(crashes.length >= ACTORS.length, master.log.join("\n"));
});

type Fault = "commit" | "query" | "verdict" | "attach";

/** One fault at a time, once. */
class Faults {
  #next: Fault | undefined;
  #happened = () => {};

  /** Fulfilled when it has happened. */
  next(fault: Fault): Promise<void> {
    this.#next = fault;
    return new Promise((resolve) => this.#happened = resolve);
  }

  store(real: Store): Store {
    return {
      open: (done) => real.open(done),
      commit: (epoch, changes, done) => {
        if (this.#isTime("commit")) throw new Error("the commit throws");
        const lies = changes.some(({ type }) => type === "outcome") && this.#isTime("verdict");
        real.commit(epoch, changes, (result) => {
          if (!lies || !result.ok) return done(result);
          const verdicts = result.value.verdicts.map(() => ({ type: "unknown" as const }));
          done({ ok: true, value: { ...result.value, verdicts } });
        });
      },
      query: (kind, ask, done) => {
        if (this.#isTime("query")) throw new Error("the query throws");
        real.query(kind, ask, done);
      },
      backup: (path, done) => real.backup(path, done),
      close: (done) => real.close(done),
    };
  }

  gate(real: Gate): Gate {
    return {
      attach: (entrance) => {
        if (entrance !== undefined && this.#isTime("attach")) throw new Error("the gate throws");
        real.attach(entrance);
      },
      unready: (reasons) => real.unready(reasons),
    };
  }

  #isTime(fault: Fault): boolean {
    if (this.#next !== fault) return false;
    this.#next = undefined;
    this.#happened();
    return true;
  }
}

const faults = new Faults();
const between = {
  store: (real: Store) => faults.store(real),
  gate: (real: Gate) => faults.gate(real),
};

withMaster("stores that throw or lie and gates that throw harm nobody for good", between, async (master) => {
  const { client, search, told } = await searching(master);
  for (const fault of ["commit", "query", "verdict", "attach"] as const) {
    await more(search, 4);
    const happened = faults.next(fault);
    if (fault === "query") await client.show("last");
    if (fault === "attach") master.crash(/\/gateway\/door$/);
    await happened;
    await more(search, 4);
    ok(await client.show("last"), fault);
  }
  await finished(master, search, told);
});

function withMaster(name: string, between: Between, body: (master: InnerMaster) => Promise<void>): void {
  Deno.test(name, { timeout: 60_000 }, async () => {
    const master = new InnerMaster(between);
    try {
      await body(master);
    } finally {
      await master.end();
      await master.remove();
    }
  });
}

async function searching(master: InnerMaster) {
  const client = await master.client();
  master.worker("w1", 2);
  master.worker("w2", 2);
  const told = new Map<string, number>();
  const search = await client.run(sleepSearch("crashes", TRIALS, 40), {
    onTrial: ({ task }) => told.set(task, (told.get(task) ?? 0) + 1),
  });
  return { client, search, told };
}

/** So many further trials have ended. */
async function more(search: ExperimentHandle, count: number): Promise<void> {
  let left = count;
  for await (const change of search.changes()) {
    if (change.kind === "ended") left -= 1;
    if (left === 0) return;
  }
  throw new Error("the search was over before all faults were put in");
}

/** Ends the search: what was submitted has one outcome, told once. */
async function finished(
  master: InnerMaster,
  search: ExperimentHandle,
  told: ReadonlyMap<string, number>,
): Promise<void> {
  await search.cancel();
  const { trials } = await search.wait();
  await master.end();
  const { tasks, outcomes } = readLedger(master.data);
  equal(outcomes.length, tasks);
  equal(outcomes.filter(({ state }) => state === "completed").length, trials.completed);
  let late = 0;
  for (const { task, state } of outcomes) {
    const times = told.get(task) ?? 0;
    // A trial whose submission was on its way when the search was cancelled ends after it.
    ok(times === 1 || (times === 0 && state === "cancelled"), `${task}, ${state}, was told ${times} times`);
    if (times === 0) late += 1;
  }
  const counted = trials.completed + trials.cancelled;
  ok(
    counted <= tasks && counted >= tasks - late,
    `${counted} of ${tasks} trials are counted, ${late} ended late`,
  );
  assertVerified(master.data);
}
