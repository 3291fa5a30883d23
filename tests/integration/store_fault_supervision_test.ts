/**
 * Every actor of a master may crash: what it does comes back, and no task is lost or doubled.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import type { ExperimentHandle } from "../../client/mod.ts";
import type { Gate } from "../../master/gateway/door.ts";
import type { Store } from "../../master/store/store.ts";
import { InnerMaster } from "./fleet/inner_master.ts";
import { assertAllCompleted } from "./fleet/ledger.ts";
import { sleepSearch } from "./fleet/specs.ts";

const TRIALS = 120;

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

Deno.test("every actor of the master may crash during a search", { timeout: 60_000 }, async () => {
  const master = new InnerMaster();
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

Deno.test("a store that throws or lies, and a gate that throws, crash who asked and nobody for good", {
  timeout: 60_000,
}, async () => {
  const faults = new Faults();
  const master = new InnerMaster({ store: (real) => faults.store(real), gate: (real) => faults.gate(real) });
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

async function finished(
  master: InnerMaster,
  search: ExperimentHandle,
  told: ReadonlyMap<string, number>,
): Promise<void> {
  equal((await search.wait()).trials.completed, TRIALS);
  await master.end();
  assertAllCompleted(master.data, TRIALS);
  equal(told.size, TRIALS);
  for (const [task, times] of told) equal(times, 1, `${task} was told ${times} times`);
  await master.remove();
}

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
