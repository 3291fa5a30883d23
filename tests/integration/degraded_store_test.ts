/**
 * Stores that are slow, that hang, and that may not write, under a master at work: it stays answerable, says what is
 * wrong, and goes on by itself.
 *
 * @module
 */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { Store } from "../../master/store/store.ts";
import { withFleet } from "./fleet/fleet.ts";
import { InnerMaster } from "./fleet/inner_master.ts";
import { assertAllCompleted } from "./fleet/ledger.ts";
import { immutableFiles } from "./fleet/read_only.ts";
import { sleepSearch } from "./fleet/specs.ts";
import { untilReady } from "./fleet/ready.ts";

const TRIALS = 60;
const TASKS = 50;

/** A store in front of which its work can be held up. */
class Brake {
  readonly #held: (() => void)[] = [];
  #holds: "nothing" | "commits" | "all" = "nothing";

  hold(what: "commits" | "all"): void {
    this.#holds = what;
  }

  release(): void {
    this.#holds = "nothing";
    for (const go of this.#held.splice(0)) go();
  }

  store(real: Store): Store {
    const later = (isHeld: boolean, go: () => void) => isHeld ? void this.#held.push(go) : go();
    return {
      open: (done, options) => real.open(done, options),
      commit: (epoch, changes, done) =>
        later(this.#holds !== "nothing", () => real.commit(epoch, changes, done)),
      query: (kind, ask, done) => later(this.#holds === "all", () => real.query(kind, ask, done)),
      backup: (path, done) => real.backup(path, done),
      close: (done) => real.close(done),
    };
  }
}

Deno.test("a store that hangs: the master answers, says so, keeps its workers, and goes on when it is back", {
  timeout: 60_000,
}, async () => {
  const brake = new Brake();
  const master = new InnerMaster({ store: (real) => brake.store(real) });
  try {
    const client = await master.client();
    master.worker("w1", 2);
    const told = new Map<string, number>();
    const search = await client.run(sleepSearch("slow", TRIALS, 40), {
      onTrial: ({ task }) => told.set(task, (told.get(task) ?? 0) + 1),
    });
    for await (const change of search.changes()) if (change.kind === "ended" && told.size >= 5) break;

    brake.hold("commits");
    const submitting = client.submit({
      name: "late",
      evaluator: { kind: "builtin", name: "noop" },
      inputs: Array.from({ length: TASKS }, () => ({})),
    });
    match(await untilReady(master.url, false), /the store is slow: a commit has had no answer for over 5 s/);
    const toldSoFar = told.size;
    // Longer than the silence after which a worker is doubtful has passed by now.
    deepEqual((await client.workers()).map(({ state }) => state), ["connected"]);
    const { state, trials } = await client.show("last");
    equal(state, "running");
    ok(trials.completed <= toldSoFar + 2);

    brake.hold("all");
    const asked = performance.now();
    await rejects(client.show("last"), /the store has not answered for 5 s: the store is slow/);
    ok(performance.now() - asked < 10_000, "the asker waited too long");
    ok((await client.workers()).length === 1, "what needs no store is answered at once");
    equal(told.size, toldSoFar, "nothing is told that is not durable");

    brake.release();
    equal(await untilReady(master.url, true), "");
    equal((await (await submitting).wait()).completed, TASKS);
    equal((await search.wait()).trials.completed, TRIALS);
    await master.end();
    assertAllCompleted(master.data, TRIALS + TASKS);
    deepEqual([...told.values()], Array(TRIALS).fill(1));
  } finally {
    brake.release();
    await master.end();
    await master.remove();
  }
});

withFleet(
  `files that may not be written: results wait with workers, /ready says why, and leave to write mends it${
    Deno.uid() === 0 ? "" : " (passed over: only root may make files immutable)"
  }`,
  async (fleet) => {
    await fleet.master();
    const client = await fleet.client();
    fleet.worker("w1", { slots: 2 });
    const told = new Map<string, number>();
    const search = await client.run(sleepSearch("immutable", TRIALS, 60), {
      onTrial: ({ task }) => told.set(task, (told.get(task) ?? 0) + 1),
    });
    for await (const change of search.changes()) if (change.kind === "ended" && told.size >= 5) break;
    const files = await immutableFiles(fleet.data);
    if (files === undefined) return void await search.cancel();
    try {
      const submitting = client.submit({
        name: "late",
        evaluator: { kind: "builtin", name: "noop" },
        inputs: Array.from({ length: TASKS }, () => ({})),
      });
      match(await untilReady(fleet.url, false), /the store cannot be relied on: ./);
      equal((await client.workers())[0]?.state, "connected");
      await client.show("last").then(
        ({ state }) => equal(state, "running"),
        (error) => match(String(error), /the store (could not answer|has not answered)/),
      );
      await files.release();
      equal(await untilReady(fleet.url, true), "");
      equal((await (await submitting).wait()).completed, TASKS);
      equal((await search.wait()).trials.completed, TRIALS);
    } finally {
      await files.release();
      await fleet.stopAll();
    }
    assertAllCompleted(fleet.data, TRIALS + TASKS);
    deepEqual([...told.values()], Array(TRIALS).fill(1));
  },
  { ignore: Deno.uid() !== 0 },
);
