/**
 * Random orders, ends and breaks of the connection: each assigned lease gets one result, and nothing stays behind.
 */
import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../../shared/actor/random.ts";
import type { TaskTemplate } from "../../../shared/model/task.ts";
import { assignOf, leaseOf, NOOP, Rig, STEERED } from "./rig.ts";

const SEEDS = 150;
const STEPS = 80;
const REASONS = ["cancelled", "duplicate", "pruned", "deadline"] as const;

Deno.test("each assigned lease gets exactly one result, whatever happens", () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const random = seededRandom("orders", seed);
    using rig = new Rig({ seed: `loop ${seed}`, slots: 3, pool: { cpus: 4, memoryBytes: 0, gpus: 0 } });
    rig.connected();
    const assigned = disturb(rig, random);
    settle(rig, random);
    assertOneResultEach(rig, assigned, seed);
  }
});

/** Makes things happen; answers with how many tasks were assigned. */
function disturb(rig: Rig, random: Random): number {
  let assigned = 0;
  const some = () => 1 + random.integer(Math.max(1, assigned));
  const steps: (() => void)[] = [
    () => rig.master.session.say(assignOf(++assigned, templateOf(random))),
    () => rig.master.session.say(assignOf(++assigned, templateOf(random))),
    () => rig.master.session.say({ type: "recall", ...leaseOf(some()) }),
    () =>
      rig.master.session.say({
        type: "cancel",
        ...leaseOf(some()),
        graceMs: 5,
        reason: random.pick(REASONS),
      }),
    () => endOne(rig, random),
    () => endOne(rig, random),
    () => rig.pass(random.integer(60)),
    () => {
      rig.evaluators.obeys = random.next() < 0.5;
    },
    () => {
      rig.master.manners.acknowledges = random.next() < 0.5;
    },
    () => void (random.next() < 0.3 && rig.pass(5).reattach()),
    () => void (random.next() < 0.1 && rig.master.manners.notKept.add(leaseOf(some()).task)),
  ];
  for (let step = 0; step < STEPS; step++) random.pick(steps)();
  // What was said on a session that broke was never assigned: the last word is heard.
  rig.pass(5);
  return assigned;
}

function templateOf(random: Random): TaskTemplate {
  const cpus = random.integer(3);
  const base = random.next() < 0.3 ? NOOP : STEERED;
  return {
    ...base,
    resources: { ...base.resources, cpus },
    ...(random.next() < 0.3 ? { deadlineMs: 40 } : {}),
  };
}

function endOne(rig: Rig, random: Random): void {
  const running = [...rig.evaluators.works.keys()];
  if (running.length === 0) return;
  const number = Number(random.pick(running).split("/")[1]);
  const work = rig.evaluators.work(number);
  if (random.next() < 0.5) work.events({ type: "report", step: 1, metrics: { loss: 1 } });
  if (random.next() < 0.7) rig.evaluators.complete(number);
  else rig.evaluators.end(number, { state: "failed", cause: "evaluator", message: "no", final: false });
}

/** Lets everything end: the evaluators complete, and the master takes all results. */
function settle(rig: Rig, random: Random): void {
  rig.master.manners.acknowledges = true;
  rig.evaluators.obeys = true;
  rig.reattach();
  while (rig.evaluators.works.size > 0) {
    endOne(rig, random);
    rig.pass(5);
  }
  rig.pass(100).reattach();
}

function assertOneResultEach(rig: Rig, assigned: number, seed: number): void {
  const { leases } = rig.master.session.register();
  assert.deepEqual(leases, [], `seed ${seed}: leases stay behind`);
  for (const session of rig.master.sessions) {
    const tasks = session.results().map((result) => result.task);
    assert.equal(new Set(tasks).size, tasks.length, `seed ${seed}: a result came twice in one session`);
  }
  for (let number = 1; number <= assigned; number++) {
    const ends = new Set(rig.states(number));
    assert.equal(
      ends.size,
      1,
      `seed ${seed}: task ${number} ended as ${[...ends].join(" and ") || "nothing"}`,
    );
  }
  const link = rig.system.inspect()?.children.find((child) => child.name === "slots");
  assert.deepEqual(link?.children, [], `seed ${seed}: attempts stay behind`);
}
