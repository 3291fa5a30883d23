import assert from "node:assert/strict";
import type { Actor, Context, Ref } from "../../../shared/actor/actor.ts";
import { System } from "../../../shared/actor/system.ts";
import { StoppableLoop } from "./stoppable_loop.ts";
import { handler, World } from "./world.ts";

Deno.test("messages from one actor to another arrive in order, also when there are more than one share of them", () => {
  const world = new World();
  const received: number[] = [];
  world.system.start(
    "root",
    handler<string>(() => {}, (context) => {
      const child = context.spawn("child", handler<number>((message) => received.push(message)));
      for (let i = 0; i < 1_000; i++) context.send(child, i);
      return {};
    }),
  );
  world.settle();
  assert.deepEqual(received, Array.from({ length: 1_000 }, (_, i) => i));
});

Deno.test("a message is never handled within the call that sent it", () => {
  const world = new World();
  const root = world.system.start(
    "root",
    handler<string>((message, context) => {
      world.seen.push(`begin ${message}`);
      if (message === "first") context.send(context.self, "second");
      world.seen.push(`end ${message}`);
    }),
  );
  world.system.post(root, "first");
  assert.deepEqual(world.seen, []);
  world.settle();
  assert.deepEqual(world.seen, ["begin first", "end first", "begin second", "end second"]);
});

Deno.test("values that are no objects, undefined among them, are messages like others", () => {
  const world = new World();
  const received: unknown[] = [];
  const root = world.system.start("root", handler<unknown>((message) => received.push(message)));
  for (const message of [undefined, null, 0, "", false]) world.tell(root, message);
  assert.deepEqual(received, [undefined, null, 0, "", false]);
});

Deno.test("an exception ends the actor that threw and nobody else; its parent is told why", () => {
  const world = new World();
  const root = world.system.start<string>("root", (context) => {
    const weak = context.spawn(
      "weak",
      handler<string>(() => {
        throw new TypeError("out of bounds");
      }),
    );
    context.spawn("strong", handler<string>(() => {}));
    return {
      receive: (message) => context.send(weak, message),
      exited: (actor, reason) =>
        world.seen.push(`${actor.path} ${reason.type === "crashed" ? reason.message : reason.type}`),
    };
  });
  world.tell(root, "hit");
  assert.deepEqual(world.seen, ["root/weak out of bounds"]);
  assert.deepEqual(world.childrenOf("root"), ["strong"]);
  assert.deepEqual(world.log, ["error root/weak: crashed: out of bounds"]);
});

for (const place of ["start", "turnEnded", "exited", "stopping"] as const) {
  Deno.test(`what is thrown in ${place} is a crash of that actor`, () => {
    const world = new World();
    const boom = (): never => {
      throw new Error(`in ${place}`);
    };
    const fragile = (context: Context<string>): Actor<string> => {
      if (place === "start") boom();
      const child = context.spawn("child", handler<string>((_, own) => own.exit()));
      return {
        receive: () => context.send(child, "go"),
        turnEnded: () => place === "turnEnded" && boom(),
        exited: () => place === "exited" && boom(),
        stopping: () => place === "stopping" ? boom() : "now",
      };
    };
    world.system.start<string>("root", (context) => {
      const child = context.spawn("fragile", fragile);
      context.send(child, "go");
      if (place === "stopping") context.stop(child, 1_000);
      return {
        receive: () => {},
        exited: (actor, reason) =>
          world.seen.push(`${actor.path} ${reason.type === "crashed" ? reason.message : reason.type}`),
      };
    });
    world.settle();
    assert.deepEqual(world.seen, [`root/fragile in ${place}`]);
    assert.deepEqual(world.rootExits, []);
  });
}

Deno.test("a kill ends everything below, the last started first, and each is released", () => {
  const world = new World();
  function branch(name: string, below: readonly string[]) {
    return handler<string>(() => {}, (context) => {
      context.atEnd(() => world.seen.push(name));
      for (const child of below) context.spawn(child, branch(child, []));
      return {};
    });
  }
  const root = world.system.start<string>("root", (context) => {
    const top = context.spawn("top", branch("top", ["a", "b"]));
    return { receive: () => context.kill(top) };
  });
  world.tell(root, "kill");
  assert.deepEqual(world.seen, ["b", "a", "top"]);
  assert.deepEqual(world.childrenOf("root"), []);
});

Deno.test("a watcher is told once of an end, also where it is the parent, and at once of one that was", () => {
  const world = new World();
  const root = world.system.start<string>("root", (context) => {
    const child = context.spawn("child", handler<string>((_, own) => own.exit()));
    context.watch(child);
    context.watch(child);
    return {
      receive: (message) => message === "end" ? context.send(child, "go") : context.watch(child),
      exited: (actor, reason) => world.seen.push(`${actor.path} ${reason.type}`),
    };
  });
  world.tell(root, "end");
  world.tell(root, "watch");
  assert.deepEqual(world.seen, ["root/child normal", "root/child gone"]);
});

Deno.test("a watcher that has ended is told nothing, and the watched one goes on", () => {
  const world = new World();
  const root = world.system.start<"watcher" | "watched">("root", (context) => {
    const watched = context.spawn("watched", handler<string>((_, own) => own.exit()));
    const watcher = context.spawn(
      "watcher",
      handler<string>((_, own) => own.exit(), (own) => {
        own.watch(watched);
        return { exited: () => world.seen.push("told") };
      }),
    );
    return { receive: (which) => context.send(which === "watcher" ? watcher : watched, "go") };
  });
  world.tell(root, "watcher");
  world.tell(root, "watched");
  assert.deepEqual(world.seen, []);
  assert.deepEqual(world.childrenOf("root"), []);
});

Deno.test("what is sent to an ended life, or lies unhandled in its mailbox, is dropped and counted", () => {
  const world = new World();
  let child: Ref<string> = { path: "", id: 0 };
  const root = world.system.start<string>("root", (context) => {
    child = context.spawn("child", handler<string>((_, own) => own.exit()));
    return { receive: (message) => context.send(child, message) };
  });
  for (const message of ["exits", "unhandled", "unhandled"]) world.system.post(root, message);
  world.settle();
  assert.equal(world.system.deadLetters, 2);
  assert.equal(world.system.isAlive(child), false);
  world.tell(root, "late");
  assert.equal(world.system.deadLetters, 3);
});

Deno.test("an actor that exits flushes what it gathered", () => {
  const world = new World();
  const root = world.system.start(
    "root",
    handler<string>((_, context) => context.exit(), () => ({ turnEnded: () => world.seen.push("flushed") })),
  );
  world.tell(root, "last words");
  assert.deepEqual(world.seen, ["flushed"]);
  assert.deepEqual(world.rootExits, [{ type: "normal" }]);
});

Deno.test("an actor that exits outside of a message, when an adapter calls, ends without one", () => {
  const world = new World();
  let exit = () => {};
  world.system.start<string>("root", (context) => {
    exit = () => context.exit();
    return { receive: () => {} };
  });
  exit();
  world.settle();
  assert.deepEqual(world.rootExits, [{ type: "normal" }]);
});

Deno.test("turnEnded is called once after all messages of a turn, and not for who handled nothing", () => {
  const world = new World();
  const flushing = (name: string) =>
    handler<string>((message) => world.seen.push(message), () => ({
      turnEnded: () => world.seen.push(`${name} flushes`),
    }));
  world.system.start<string>("root", (context) => {
    const busy = context.spawn("busy", flushing("busy"));
    context.spawn("idle", flushing("idle"));
    for (const message of ["one", "two"]) context.send(busy, message);
    return { receive: () => {} };
  });
  world.settle();
  assert.deepEqual(world.seen, ["one", "two", "busy flushes"]);
});

Deno.test("turnEnded waits until nobody has anything left to handle", () => {
  const world = new World();
  const root = world.system.start(
    "root",
    handler<number>((left, context) => {
      world.seen.push(`${left}`);
      if (left > 0) context.send(context.self, left - 1);
    }, () => ({ turnEnded: () => world.seen.push("flushes") })),
  );
  world.tell(root, 3);
  assert.deepEqual(world.seen, ["3", "2", "1", "0", "flushes"]);
});

Deno.test("slow messages let what waits outside in between, after a flush", () => {
  const loop = new StoppableLoop();
  const seen: string[] = [];
  const system = new System(loop, "seed");
  const root = system.start<number>("root", () => ({
    receive: (tookMs) => loop.stall(tookMs),
    turnEnded: () => seen.push("flushes"),
  }));
  for (let i = 0; i < 1_000; i++) system.post(root, 1);
  loop.soon(() => seen.push("outside"));
  loop.runCalls();
  assert.deepEqual(seen.slice(0, 3), ["flushes", "outside", "flushes"]);
  assert.equal(system.inspect()?.handled, 1_000);
  assert.ok(seen.length <= 6, "and yet many are handled in one turn");
});

Deno.test("an actor that writes to itself for ever stops neither the others nor the clock", () => {
  const world = new World();
  const root = world.system.start<string>("root", (context) => {
    const restless = context.spawn(
      "restless",
      handler<string>((message, own) => own.send(own.self, message)),
    );
    context.send(restless, "again");
    context.after(5, "timer");
    return { receive: (message) => world.seen.push(message) };
  });
  world.system.post(root, "message");
  assert.equal(world.loop.runUntil(() => world.seen.includes("timer"), 100), true);
  assert.deepEqual(world.seen, ["message", "timer"]);
  world.system.halt();
});

Deno.test("a root that crashes in its start is told of as an end, and another one may be started", () => {
  const world = new World();
  world.system.start<string>("root", () => {
    throw new Error("no luck");
  });
  assert.equal(world.rootExits[0]?.type, "crashed");
  assert.equal(world.system.inspect(), undefined);
  world.system.start("root", handler<string>(() => {}));
  assert.throws(() => world.system.start("second", handler<string>(() => {})), /the root root has not ended/);
  world.system.stop(1_000);
  world.settle();
  assert.deepEqual(world.rootExits.map((reason) => reason.type), ["crashed", "stopped"]);
});

Deno.test("a halted system calls nobody any more, not even who was about to be called", () => {
  const world = new World();
  const root = world.system.start(
    "root",
    handler<string>((message) => world.seen.push(message), (context) => {
      context.after(10, "timer");
      context.atEnd(() => world.seen.push("released"));
      return { stopping: () => "later" };
    }),
  );
  world.system.post(root, "message");
  world.system.halt();
  assert.equal(world.loop.step(), true, "the turn that was asked for comes, and finds nothing");
  assert.equal(world.loop.step(), false);
  assert.deepEqual(world.seen, []);
});

Deno.test("the tree shows what waits, what was handled and what actors say about themselves", () => {
  const world = new World();
  const root = world.system.start<string>("root", (context) => {
    context.spawn("mute", () => ({
      receive: () => {},
      notes: () => {
        throw new Error("lost for words");
      },
    }));
    return {
      receive: () => {},
      notes: () => ({ load: 3 }),
      remoteChildren: () => [{ name: "w1", state: "up" }],
    };
  });
  world.tell(root, "one");
  world.system.post(root, "two");
  const view = world.system.inspect();
  assert.equal(view?.handled, 1);
  assert.equal(view?.mailbox, 1);
  assert.deepEqual(view?.notes, { load: 3 });
  assert.deepEqual(view?.remote, [{ name: "w1", state: "up" }]);
  assert.deepEqual(view?.children[0]?.notes, { "cannot describe itself": "Error: lost for words" });
});

Deno.test("an actor's random stream depends on its path and life alone", () => {
  const draw = () => {
    const world = new World();
    const drawn: number[] = [];
    world.system.start<string>("root", (context) => {
      drawn.push(context.random.next(), context.random.next());
      context.spawn("child", (own) => {
        drawn.push(own.random.next());
        return { receive: () => {} };
      });
      return { receive: () => {} };
    });
    return drawn;
  };
  assert.deepEqual(draw(), draw());
  assert.equal(new Set(draw()).size, 3);
});
