import assert from "node:assert/strict";
import type { Ref } from "../../../shared/actor/actor.ts";
import {
  type ChildSpec,
  childSpec,
  supervisor,
  supervisorChild,
  type SupervisorMessage,
  type SupervisorOptions,
} from "../../../shared/actor/supervisor.ts";
import { handler, type Order, World } from "./world.ts";

const INTENSITY = { restarts: 3, windowMs: 1_000 };

const later = () => "later" as const;

function supervised(
  world: World,
  children: readonly ChildSpec[],
  more: Partial<SupervisorOptions> = {},
): Ref<SupervisorMessage> {
  const options: SupervisorOptions = { strategy: "one_for_one", intensity: INTENSITY, children, ...more };
  const root = world.system.start("root", supervisor(options));
  world.settle();
  return root;
}

function order(world: World, name: string, what: Order): void {
  world.tell(world.ref<Order>(`root/${name}`), what);
}

Deno.test("children start in order and stop in reverse order, each after the end of the one before", () => {
  const world = new World();
  supervised(world, ["a", "b", "c"].map((name) => world.obedient(name, "permanent", { released: true })));
  world.system.stop(5_000);
  world.settle();
  assert.deepEqual(world.seen, [
    ...["start a", "start b", "start c"],
    ...["stop c", "release c", "stop b", "release b", "stop a", "release a"],
  ]);
  assert.deepEqual(world.rootExits, [{ type: "stopped" }]);
});

Deno.test("a child that overstays its shutdown is killed, and the next one is asked", () => {
  const world = new World();
  const slow = { stopping: later, shutdownMs: 300 };
  supervised(world, [world.obedient("a"), world.obedient("slow", "permanent", slow)]);
  world.takeSeen();
  world.system.stop(5_000);
  world.loop.runFor(299);
  assert.deepEqual(world.takeSeen(), ["stop slow"]);
  world.loop.runFor(2);
  assert.deepEqual(world.takeSeen(), ["stop a"]);
  assert.deepEqual(world.rootExits, [{ type: "stopped" }]);
});

Deno.test("a child is never given longer to stop than its supervisor has", () => {
  const world = new World();
  const given: number[] = [];
  const slow = childSpec<Order>({
    name: "slow",
    restart: "permanent",
    shutdownMs: 60_000,
    start: () => handler(() => {}, () => ({ stopping: (deadlineMs) => (given.push(deadlineMs), "later") })),
  });
  supervised(world, [slow]);
  world.system.stop(500);
  world.loop.runFor(1_000);
  assert.deepEqual(given, [500]);
  assert.equal(world.rootExits.length, 1);
});

Deno.test("one_for_one restarts the crashed child alone", () => {
  const world = new World();
  supervised(world, ["a", "b", "c"].map((name) => world.obedient(name)));
  world.takeSeen();
  order(world, "b", "crash");
  assert.deepEqual(world.seen, ["start b"]);
  assert.deepEqual(world.childrenOf("root").toSorted(), ["a", "b", "c"]);
});

Deno.test("rest_for_one takes down what was started later, last first, and starts it again in order", () => {
  const world = new World();
  const children = ["a", "b", "c", "d"].map((name) => world.obedient(name, "permanent", { released: true }));
  supervised(world, children, { strategy: "rest_for_one" });
  world.takeSeen();
  order(world, "b", "crash");
  assert.deepEqual(world.seen, ["release b", "release d", "release c", "start b", "start c", "start d"]);
});

Deno.test("rest_for_one restarts children that were added later too, but no temporary one and none that was done", () => {
  const world = new World();
  const root = supervised(world, [world.obedient("a"), world.obedient("done", "transient")], {
    strategy: "rest_for_one",
  });
  world.tell(root, { type: "start_child", child: world.obedient("added") });
  world.tell(root, { type: "start_child", child: world.obedient("session", "temporary") });
  order(world, "done", "exit");
  world.takeSeen();
  order(world, "a", "crash");
  assert.deepEqual(world.seen, ["start a", "start added"]);
  assert.deepEqual(world.childrenOf("root"), ["a", "added"]);
});

Deno.test("a permanent child is restarted after any end, a transient one after a crash or a kill, a temporary one never", () => {
  for (
    const [restart, restarted] of [
      ["permanent", { exit: true, crash: true, kill: true }],
      ["transient", { exit: false, crash: true, kill: true }],
      ["temporary", { exit: false, crash: false, kill: false }],
    ] as const
  ) {
    for (const end of ["exit", "crash", "kill"] as const) {
      const world = new World();
      supervised(world, [world.obedient("child", restart)]);
      if (end === "kill") world.system.kill(world.ref("root/child"));
      else order(world, "child", end);
      world.settle();
      assert.deepEqual(world.childrenOf("root"), restarted[end] ? ["child"] : [], `${restart}, ${end}`);
    }
  }
});

Deno.test("one restart more than allowed within the window ends the supervisor, and its own decides", () => {
  const world = new World();
  const below: SupervisorOptions = { strategy: "one_for_one", intensity: INTENSITY, children: [] };
  const inner = supervisorChild("inner", 1_000, { ...below, children: [world.obedient("child")] });
  supervised(world, [world.obedient("other"), inner], { intensity: { restarts: 1, windowMs: 10_000 } });
  world.takeSeen();
  for (let crash = 1; crash <= 3; crash++) order(world, "inner/child", "crash");
  const innerBefore = world.ref("root/inner").id;
  order(world, "inner/child", "crash");
  assert.notEqual(world.ref("root/inner").id, innerBefore);
  assert.equal(world.seen.filter((line) => line === "start child").length, 4);
  assert.equal(world.rootExits.length, 0);
  for (let crash = 1; crash <= 4; crash++) order(world, "inner/child", "crash");
  const [reason] = world.rootExits;
  assert.equal(reason?.type, "crashed");
  assert.match(
    reason.message,
    /inner needs one restart more than the 1 allowed.*child needs one restart more than the 3/,
  );
});

Deno.test("the window of restarts slides", () => {
  const world = new World();
  supervised(world, [world.obedient("child")]);
  for (let crash = 0; crash < 20; crash++) {
    order(world, "child", "crash");
    world.loop.runFor(334);
  }
  assert.equal(world.rootExits.length, 0);
  for (let crash = 0; crash < 3; crash++) {
    if (world.rootExits.length === 0) order(world, "child", "crash");
  }
  assert.equal(world.rootExits.length, 1);
});

Deno.test("a start that throws obeys the intensity, also of the supervisor's first start", () => {
  const world = new World();
  let starts = 0;
  const broken = world.obedient("broken", "permanent", {
    start: () => {
      starts += 1;
      throw new Error("no port");
    },
  });
  supervised(world, [broken]);
  assert.equal(starts, 1 + INTENSITY.restarts);
  assert.equal(world.rootExits[0]?.type, "crashed");
});

Deno.test("rest_for_one starts nobody who stands on a child whose start threw, until it stands", () => {
  const world = new World();
  let failures = 2;
  const shaky = world.obedient("shaky", "permanent", {
    start: () => {
      if (failures-- > 0) throw new Error("not yet");
    },
  });
  const children = [world.obedient("a"), shaky, world.obedient("b"), world.obedient("t", "temporary")];
  const root = supervised(world, children, {
    strategy: "rest_for_one",
    backoff: { minMs: 100, maxMs: 1_000 },
  });
  assert.deepEqual(world.takeSeen(), ["start a", "start shaky"]);
  world.tell(root, { type: "start_child", child: world.obedient("added") });
  assert.deepEqual(world.takeSeen(), [], "what is added later waits with the others");
  world.loop.runFor(101);
  assert.deepEqual(world.takeSeen(), ["start shaky"]);
  world.loop.runFor(201);
  assert.deepEqual(world.takeSeen(), ["start shaky", "start b", "start t", "start added"]);
});

Deno.test("removing a child whose start threw lets those after it start", () => {
  const world = new World();
  const shaky = world.obedient("shaky", "permanent", {
    start: () => {
      throw new Error("never");
    },
  });
  const children = [shaky, world.obedient("b")];
  const root = world.system.start(
    "root",
    supervisor({ strategy: "rest_for_one", intensity: INTENSITY, children }),
  );
  world.system.post(root, { type: "stop_child", name: "shaky" });
  world.loop.runFor(10);
  assert.deepEqual(world.childrenOf("root"), ["b"]);
});

Deno.test("the wait before a restart doubles with each failure of that child, and starts anew after a quiet window", () => {
  const world = new World();
  supervised(world, [world.obedient("child"), world.obedient("other")], {
    intensity: { restarts: 10, windowMs: 2_000 },
    backoff: { minMs: 100, maxMs: 300 },
  });
  function waitOf(name: string): number {
    const fromMs = world.loop.now();
    order(world, name, "crash");
    world.loop.runUntil(() => world.find(`root/${name}`) !== undefined, fromMs + 10_000);
    return Math.round(world.loop.now() - fromMs);
  }
  assert.deepEqual([waitOf("child"), waitOf("child"), waitOf("other"), waitOf("child")], [
    100,
    200,
    100,
    300,
  ]);
  world.loop.runFor(2_000);
  assert.equal(waitOf("child"), 100);
});

Deno.test("a child that waits for its restart does not shorten the wait of another", () => {
  const world = new World();
  supervised(world, [world.obedient("child"), world.obedient("other")], {
    intensity: { restarts: 10, windowMs: 60_000 },
    backoff: { minMs: 100, maxMs: 10_000 },
  });
  for (let crash = 0; crash < 3; crash++) {
    order(world, "child", "crash");
    world.loop.runFor(1_000);
  }
  order(world, "other", "crash");
  order(world, "child", "crash");
  world.loop.runFor(150);
  assert.deepEqual(world.childrenOf("root"), ["other"]);
  world.loop.runFor(700);
  assert.deepEqual(world.childrenOf("root"), ["other", "child"]);
});

Deno.test("with rest_for_one, the failure of a child does not shorten the wait of one after it", () => {
  const world = new World();
  supervised(world, [world.obedient("a"), world.obedient("b")], {
    strategy: "rest_for_one",
    intensity: { restarts: 10, windowMs: 60_000 },
    backoff: { minMs: 100, maxMs: 10_000 },
  });
  for (let crash = 0; crash < 3; crash++) {
    order(world, "b", "crash");
    world.loop.runFor(crash === 2 ? 0 : 1_000);
  }
  order(world, "a", "crash");
  world.loop.runFor(150);
  assert.deepEqual(world.childrenOf("root"), ["a"]);
  world.loop.runFor(300);
  assert.deepEqual(world.childrenOf("root"), ["a", "b"]);
});

Deno.test("a child that exceeds the intensity can be dropped: the others are untouched, and it may be added again", () => {
  const world = new World();
  const dropped: string[] = [];
  const root = supervised(world, [world.obedient("good"), world.obedient("bad")], {
    onExceeded: (child) => (dropped.push(child), "drop"),
  });
  order(world, "good", "crash");
  for (let crash = 0; crash < 4; crash++) order(world, "bad", "crash");
  assert.deepEqual(dropped, ["bad"]);
  assert.deepEqual(world.childrenOf("root"), ["good"]);
  world.tell(root, { type: "start_child", child: world.obedient("bad") });
  assert.deepEqual(world.childrenOf("root"), ["good", "bad"]);
});

Deno.test("a child of a name that runs, or waits for its restart, is not added twice", () => {
  const world = new World();
  const root = supervised(world, [world.obedient("child")], { backoff: { minMs: 100, maxMs: 100 } });
  world.tell(root, { type: "start_child", child: world.obedient("child") });
  order(world, "child", "crash");
  world.tell(root, { type: "start_child", child: world.obedient("child") });
  world.loop.runFor(200);
  assert.deepEqual(world.seen, ["start child", "start child"]);
});

Deno.test("a child that is stopped is not restarted; one added under its name meanwhile starts after its end", () => {
  const world = new World();
  const slow = { stopping: later, released: true };
  const root = supervised(world, [world.obedient("child", "permanent", slow)]);
  world.tell(root, { type: "stop_child", name: "child" });
  world.tell(root, { type: "start_child", child: world.obedient("child") });
  assert.deepEqual(world.takeSeen(), ["start child", "stop child"]);
  order(world, "child", "exit");
  assert.deepEqual(world.takeSeen(), ["release child", "start child"]);
  world.tell(root, { type: "stop_child", name: "child" });
  assert.deepEqual(world.childrenOf("root"), []);
});

Deno.test("a shutdown waits for a child that was being stopped", () => {
  const world = new World();
  const slow = { stopping: later };
  const root = supervised(world, [world.obedient("a"), world.obedient("slow", "permanent", slow)]);
  world.tell(root, { type: "stop_child", name: "slow" });
  world.takeSeen();
  world.system.stop(5_000);
  world.settle();
  assert.deepEqual(world.takeSeen(), []);
  order(world, "slow", "exit");
  assert.deepEqual(world.takeSeen(), ["stop a"]);
});

Deno.test("a child that crashes during the shutdown is not restarted, and the shutdown goes on", () => {
  const world = new World();
  const slow = { stopping: later };
  supervised(
    world,
    ["a", "b", "c"].map((name) => world.obedient(name, "permanent", name === "c" ? slow : {})),
  );
  world.takeSeen();
  world.system.stop(5_000);
  world.settle();
  order(world, "b", "crash");
  order(world, "c", "crash");
  assert.deepEqual(world.seen, ["stop c", "stop a"]);
  assert.deepEqual(world.rootExits, [{ type: "stopped" }]);
});

Deno.test("a shutdown during a back-off restarts nobody and ends", () => {
  const world = new World();
  supervised(world, [world.obedient("a"), world.obedient("b")], { backoff: { minMs: 100, maxMs: 100 } });
  order(world, "b", "crash");
  world.takeSeen();
  world.system.stop(5_000);
  world.loop.runFor(1_000);
  assert.deepEqual(world.seen, ["stop a"]);
  assert.deepEqual(world.rootExits, [{ type: "stopped" }]);
});

Deno.test("a child finds siblings that stand, and its start crashes where one does not", () => {
  const world = new World();
  const eager = (name: string, sibling: string) =>
    childSpec<Order>({
      name,
      restart: "temporary",
      shutdownMs: 0,
      start: (siblings) => {
        const ref = siblings.get<Order>(sibling);
        return handler((what, context) => context.send(ref, what));
      },
    });
  supervised(world, [
    eager("early", "late"),
    world.obedient("late"),
    eager("good", "late"),
  ]);
  assert.deepEqual(world.childrenOf("root"), ["late", "good"]);
  assert.match(world.log[0] ?? "", /root\/early: crashed: no child "late" has been started before this one/);
  world.takeSeen();
  order(world, "good", "crash");
  assert.deepEqual(world.seen, ["start late"]);
});

Deno.test("the tree shows strategy, restarts and the last failure of each child", () => {
  const world = new World();
  const failures: unknown[] = [];
  supervised(world, [world.obedient("a"), world.obedient("session", "temporary")], {
    backoff: { minMs: 100, maxMs: 100 },
    onFailure: (child, reason, count) => failures.push([child, reason.type, count]),
  });
  order(world, "a", "crash");
  assert.deepEqual(world.find("root")?.notes, {
    strategy: "one_for_one",
    restarts: 1,
    "last failure": "a: as ordered",
    "failures of a": "1, last: as ordered",
    "start of a": "waits",
  });
  order(world, "session", "crash");
  assert.equal(world.find("root")?.notes["last failure"], "session: as ordered");
  assert.deepEqual(failures, [["a", "crashed", 1], ["session", "crashed", 1]]);
});
