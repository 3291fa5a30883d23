import fc from "fast-check";
import assert from "node:assert/strict";
import type { Ref, Start } from "../../shared/actor/actor.ts";
import { seededRandom } from "../../shared/actor/random.ts";
import {
  type ChildSpec,
  childSpec,
  supervisor,
  type SupervisorMessage,
} from "../../shared/actor/supervisor.ts";
import { type ActorView, System } from "../../shared/actor/system.ts";
import { VirtualLoop } from "../../shared/actor/virtual_loop.ts";
import {
  BACKOFF_MS_MAX,
  type ModelNode,
  type Supervision,
  SupervisorModel,
  type TreeSpec,
} from "./supervisor_model.ts";

const RUNS = 2_000;
/** Added to the time of the n-th event n times: no two timers of different events fall on one instant. */
const APART_MS = 1 / 128;

type Event =
  | { readonly type: "crash" | "exit" | "kill" | "remove"; readonly whom: number; readonly afterMs: number }
  | { readonly type: "add"; readonly whom: number; readonly afterMs: number; readonly spec: TreeSpec };

const restart = fc.constantFrom("permanent", "transient", "temporary");
const name = fc.constantFrom("a", "b", "c", "d", "e");
const worker: fc.Arbitrary<TreeSpec> = fc.record({ name, restart });

function supervision(children: fc.Arbitrary<TreeSpec>): fc.Arbitrary<Supervision> {
  return fc.record({
    strategy: fc.constantFrom("one_for_one", "rest_for_one"),
    restarts: fc.integer({ min: 0, max: 4 }),
    windowMs: fc.constantFrom(100, 1_000),
    backoffMs: fc.constantFrom(0, 10, 40),
    drops: fc.boolean(),
    children: fc.uniqueArray(children, { selector: (child) => child.name, maxLength: 5 }),
  });
}

function branch(children: fc.Arbitrary<TreeSpec>): fc.Arbitrary<TreeSpec> {
  return fc.record({ name, restart, supervises: supervision(children) });
}

const inner = fc.oneof({ weight: 3, arbitrary: worker }, { weight: 1, arbitrary: branch(worker) });
const outer = fc.oneof({ weight: 1, arbitrary: worker }, { weight: 2, arbitrary: branch(inner) });
const tree: fc.Arbitrary<TreeSpec> = fc.record({
  name: fc.constant("root"),
  restart: fc.constant("permanent"),
  supervises: supervision(outer),
});

const whom = fc.nat({ max: 1_000 });
const afterMs = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 150 }));
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom("crash", "exit", "kill", "remove"), whom, afterMs }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("add"), whom, afterMs, spec: inner }) },
);

/** The same tree made of real actors. */
class Kernel {
  readonly loop = new VirtualLoop(seededRandom("loop"));
  readonly trace: string[] = [];
  readonly system = new System(this.loop, "seed", {}, seededRandom("shuffle"));

  constructor(root: TreeSpec) {
    this.system.start(root.name, this.#start(root));
  }

  ref<M>(path: string): Ref<M> {
    const view = views(this.system.inspect()).find((each) => each.path === path);
    assert.ok(view !== undefined, `${path} should live`);
    return { path, id: view.id };
  }

  child(spec: TreeSpec): ChildSpec {
    return childSpec<unknown>({ ...spec, shutdownMs: 1_000, start: () => this.#start(spec) });
  }

  #start(spec: TreeSpec): Start<unknown> {
    return spec.supervises === undefined ? this.#worker() : this.#supervisor(spec.supervises);
  }

  #supervisor(rules: Supervision): Start<unknown> {
    return supervisor({
      strategy: rules.strategy,
      intensity: rules,
      backoff: { minMs: rules.backoffMs, maxMs: BACKOFF_MS_MAX },
      children: rules.children.map((child) => this.child(child)),
      ...(rules.drops ? { onExceeded: () => "drop" as const } : {}),
    }) as Start<unknown>;
  }

  #worker(): Start<unknown> {
    return (context) => {
      this.trace.push(`start ${context.self.path}`);
      context.atEnd(() => this.trace.push(`end ${context.self.path}`));
      return {
        receive: (order) => {
          if (order === "crash") throw new Error("as ordered");
          context.exit();
        },
      };
    };
  }
}

function views(view: ActorView | undefined): ActorView[] {
  return view === undefined ? [] : [view, ...view.children.flatMap(views)];
}

function apply(event: Event, model: SupervisorModel, kernel: Kernel): void {
  const isSupervisor = (node: ModelNode) => node.spec.supervises !== undefined;
  const choices = model.living().filter((node) => {
    if (event.type === "add") return isSupervisor(node);
    return node.parent !== undefined &&
      (event.type === "kill" || event.type === "remove" || !isSupervisor(node));
  });
  const chosen = choices[event.whom % choices.length];
  if (chosen === undefined) return;
  const path = chosen.path;
  switch (event.type) {
    case "crash":
    case "exit":
      kernel.system.post(kernel.ref<string>(path), event.type);
      return model.end(chosen, event.type === "crash" ? "crashed" : "normal");
    case "kill":
      kernel.system.kill(kernel.ref(path));
      return model.end(chosen, "killed");
    case "add":
      kernel.system.post(kernel.ref<SupervisorMessage>(path), {
        type: "start_child",
        child: kernel.child(event.spec),
      });
      return model.add(chosen, event.spec);
    case "remove": {
      const parent = chosen.parent?.path ?? "";
      kernel.system.post(kernel.ref<SupervisorMessage>(parent), {
        type: "stop_child",
        name: chosen.spec.name,
      });
      return model.stop(chosen);
    }
  }
}

function assertAlike(model: SupervisorModel, kernel: Kernel): void {
  assert.deepEqual(kernel.trace, model.trace);
  const described = (path: string, restarts: unknown) => `${path} ${restarts ?? "-"}`;
  const real = views(kernel.system.inspect()).map((view) => described(view.path, view.notes["restarts"]));
  const expected = model.living().map((node) =>
    described(node.path, node.spec.supervises === undefined ? undefined : node.restarts)
  );
  assert.deepEqual(real.toSorted(), expected.toSorted());
}

Deno.test("a tree of supervisors lives, restarts, escalates and stops as the model of its promises does", () => {
  fc.assert(
    fc.property(tree, fc.array(event, { maxLength: 30 }), (root, events) => {
      const model = new SupervisorModel(root);
      const kernel = new Kernel(root);
      let atMs = 0;
      for (const each of events) {
        atMs += each.afterMs + APART_MS;
        kernel.loop.runUntil(() => false, atMs);
        model.advance(atMs);
        assertAlike(model, kernel);
        apply(each, model, kernel);
        kernel.loop.runFor(APART_MS / 4);
        assertAlike(model, kernel);
      }
      kernel.system.stop(1_000);
      kernel.loop.runFor(BACKOFF_MS_MAX);
      model.stop(model.root);
      assertAlike(model, kernel);
      assert.equal(kernel.loop.step(), false, "a system that has ended leaves nothing on the loop");
    }),
    { numRuns: RUNS },
  );
});

/** Actors that write to each other at random: who handled what, in which order. */
function gossip(seed: number): string[] {
  const loop = new VirtualLoop(seededRandom(seed));
  const trace: string[] = [];
  const system = new System(loop, `${seed}`, {}, seededRandom(seed, "shuffle"));
  system.start<number>("root", (root) => {
    const members: Ref<number>[] = [];
    for (let i = 0; i < 10; i++) {
      members.push(root.spawn<number>(`${i}`, (context) => ({
        receive: (left) => {
          trace.push(`${context.self.path} ${left}`);
          if (left === 0) return;
          context.send(context.random.pick(members), left - 1);
          context.after(context.random.integer(10), 0);
        },
      })));
    }
    for (const member of members) root.send(member, 10);
    return { receive: () => {} };
  });
  loop.runFor(500);
  return trace;
}

Deno.test("the same seed gives the same trace, another seed another trace", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      assert.deepEqual(gossip(seed), gossip(seed));
      assert.notDeepEqual(gossip(seed), gossip(seed + 1));
    }),
    { numRuns: 20 },
  );
});
