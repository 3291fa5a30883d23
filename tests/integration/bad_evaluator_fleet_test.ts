/**
 * Evaluators that go wrong, seen from a client: an outcome that says what happened, never a score.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Client, TaskOutcome } from "../../client/mod.ts";
import { type Fleet, withFleet } from "./fleet/fleet.ts";
import { endsByCause, readLedger } from "./fleet/ledger.ts";
import { fixture, slowSearch } from "./fleet/specs.ts";

/** What an evaluator does, what it is given, and what its outcome must say. */
interface Case {
  readonly path: string;
  readonly candidate?: unknown;
  readonly deadlineMs?: number;
  readonly says: RegExp;
}

/** Enough for the harness, soon full. */
const SMALL_HEAP_MIB = 64;

function cases(fleet: Fleet): Case[] {
  return [
    { path: evaluator("fails"), candidate: { throws: "error" }, says: /does not work/ },
    { path: evaluator("fails"), candidate: { throws: "nothing" }, says: /threw undefined/ },
    { path: evaluator("fails_in_background"), says: /thrown by a timer/ },
    { path: evaluator("loops"), deadlineMs: 700, says: /longer than its deadline of 700 ms/ },
    { path: evaluator("never_resolves"), says: /nothing is left to resolve/ },
    { path: evaluator("exits"), candidate: { code: 3 }, says: /exit code 3/ },
    { path: evaluator("exits"), candidate: { code: 0 }, says: /exit code 0/ },
    { path: evaluator("allocates"), says: /more memory than its limit of 64 MiB/ },
    { path: evaluator("returns"), candidate: { returns: "nan" }, says: /loss.*NaN/ },
    { path: evaluator("returns"), candidate: { returns: "text" }, says: /"loss" is a string/ },
    { path: evaluator("returns"), candidate: { returns: "nothing" }, says: /it is undefined/ },
    { path: evaluator("prints_and_fails"), says: /after the prints/ },
    { path: evaluator("fails_on_load"), says: /no data here/ },
    { path: evaluator("no_evaluate"), says: /exports no function evaluate/ },
    { path: `${fleet.folder}/nowhere.ts`, says: /there is no module .*nowhere\.ts on this machine/ },
    { path: fleet.folder, says: /is no TypeScript module/ },
    { path: `${fleet.folder}/broken.ts`, says: /broken\.ts: SyntaxError/ },
  ];
}

/** A fixture of the executor's own tests. */
function evaluator(name: string): string {
  return new URL(`../fixtures/evaluators/${name}.ts`, import.meta.url).pathname;
}

withFleet(
  "whatever an evaluator does, its task fails with the reason, and the worker goes on",
  async (fleet) => {
    const master = await fleet.master();
    const client = await fleet.client();
    const worker = fleet.worker("w1", { slots: 3, heapMiB: SMALL_HEAP_MIB });
    // Written here, since no formatter or type checker would let it stand.
    await Deno.writeTextFile(`${fleet.folder}/broken.ts`, "export function evaluate( {\n");
    await Promise.all(
      cases(fleet).map(async (each) => {
        const [outcome] = await run(client, each);
        equal(outcome?.state, "failed", `${each.path}: ${JSON.stringify(outcome)}`);
        match(outcome?.message ?? "", each.says, each.path);
        equal(outcome?.metrics, undefined);
        equal(outcome?.cause, each.deadlineMs === undefined ? "evaluator" : "deadline", each.path);
      }),
    );
    const [printed] = await run(client, { path: evaluator("prints"), says: /./ });
    equal(printed?.state, "completed", JSON.stringify(printed));
    const [good] = await run(client, { path: fixture("slow"), candidate: { ms: 1, x: 0.5 }, says: /./ });
    deepEqual([good?.state, good?.metrics], ["completed", { value: 0.5, attempt: 1 }]);
    // No process of the fleet ended by what evaluators did.
    equal((await client.workers()).length, 1);
    ok(!worker.words.some(({ refused }) => refused !== undefined));
    await master.kill();
    const { outcomes } = readLedger(fleet.data);
    for (const { state, metrics } of outcomes) equal(metrics === null, state === "failed");
  },
);

/** Runs one task, without retries, to its outcome. */
async function run(client: Client, { path, candidate = {}, deadlineMs }: Case): Promise<TaskOutcome[]> {
  const task = await client.submit({
    name: "bad",
    evaluator: { kind: "module", path },
    inputs: [candidate],
    retry: { limit: 0 },
    graceMs: 100,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  });
  return await Array.fromAsync(task.outcomes());
}

withFleet(
  "an evaluator that always fails pauses its search, which says why and can be resumed",
  async (fleet) => {
    const master = await fleet.master();
    const client = await fleet.client();
    fleet.worker("w1");
    const paused = Promise.withResolvers<string>();
    const path = `${fleet.folder}/evaluate.ts`;
    await Deno.writeTextFile(
      path,
      'export function evaluate() { throw new Error("the data is not there"); }\n',
    );
    const search = await client.run({
      ...slowSearch("paused", 6, 10),
      evaluator: { kind: "module", path },
      retry: { limit: 1, backoff: "10ms" },
      maxFailures: 3,
    }, { onState: (state, reason) => state === "paused" ? paused.resolve(reason) : undefined });
    const reason = await paused.promise;
    match(reason, /3 failures in a row.*the data is not there/);
    const { state, best, trials: { completed } } = await search.show();
    deepEqual([state, best, completed], ["paused", null, 0]);

    // Mended where it lies: the same search goes on with what is there now.
    await Deno.writeTextFile(path, "export function evaluate({ x }) { return { value: x }; }\n");
    await search.resume();
    const { trials, best: found } = await search.wait();
    equal(trials.completed + trials.failed, 6);
    ok(trials.completed >= 4, JSON.stringify(trials));
    ok(found !== null);
    await master.kill();
    const ledger = readLedger(fleet.data);
    ok((endsByCause(ledger)["evaluator"] ?? 0) >= 3);
    equal(ledger.outcomes.length, 6);
  },
);
