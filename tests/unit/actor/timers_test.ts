import assert from "node:assert/strict";
import type { Timer } from "../../../shared/actor/actor.ts";
import { handler, World } from "./world.ts";

Deno.test("a timer arrives as a message after its time, and a cancelled one does not", () => {
  const world = new World();
  world.system.start<string>("root", (context) => {
    context.after(100, "kept");
    context.cancel(context.after(50, "cancelled"));
    return { receive: (message) => world.seen.push(`${message} at ${context.now()}`) };
  });
  world.loop.runFor(1_000);
  assert.deepEqual(world.seen, ["kept at 100"]);
});

Deno.test("cancelling a timer that has fired, twice, or of another actor changes nothing", () => {
  const world = new World();
  const root = world.system.start<string>("root", (context) => {
    const fired = context.after(10, "fired");
    let foreign: Timer = fired;
    context.spawn<string>("child", (own) => {
      foreign = own.after(50, "child's");
      return { receive: (message) => world.seen.push(message) };
    });
    return {
      receive: (message) => {
        world.seen.push(message);
        context.cancel(fired);
        context.cancel(fired);
        context.cancel(foreign);
      },
    };
  });
  world.loop.runFor(20);
  world.tell(root, "again");
  world.loop.runFor(100);
  assert.deepEqual(world.seen, ["fired", "again", "child's"]);
});

Deno.test("an actor's timers end with it, and none can be set afterwards", () => {
  const world = new World();
  let setLate = () => {};
  const root = world.system.start<string>("root", (context) => {
    const child = context.spawn<string>("child", (own) => {
      own.after(100, "never");
      setLate = () => own.after(1, "never either");
      return { receive: (message) => world.seen.push(message) };
    });
    return { receive: () => context.kill(child) };
  });
  world.tell(root, "kill");
  setLate();
  world.loop.runFor(1_000);
  assert.deepEqual(world.seen, []);
  assert.equal(world.system.deadLetters, 0);
});

Deno.test("an actor that does not care to stop ends at once, after what it was sent before", () => {
  const world = new World();
  world.system.start<string>("root", (context) => {
    const child = context.spawn("child", handler<string>((message) => world.seen.push(message)));
    context.send(child, "before");
    context.stop(child, 1_000);
    context.send(child, "after");
    return {
      receive: () => {},
      exited: (_, reason) => world.seen.push(reason.type),
    };
  });
  world.settle();
  assert.deepEqual(world.seen, ["before", "stopped"]);
});

Deno.test("an actor that stops later is told its deadline, handles messages until it exits, and counts as stopped", () => {
  const world = new World();
  const root = world.system.start<string>("root", (context) => {
    const child = context.spawn<string>("child", (own) => ({
      receive: (message) => {
        world.seen.push(message);
        if (message === "done") own.exit();
      },
      stopping: (deadlineMs) => {
        world.seen.push(`asked, ${deadlineMs} ms`);
        return "later";
      },
    }));
    context.stop(child, 500);
    return {
      receive: (message) => context.send(child, message),
      exited: (_, reason) => world.seen.push(reason.type),
    };
  });
  for (const message of ["work", "done"]) world.tell(root, message);
  world.loop.runFor(1_000);
  assert.deepEqual(world.seen, ["asked, 500 ms", "work", "done", "stopped"]);
});

Deno.test("an actor that has not stopped at its deadline is killed; asked again, the earlier deadline counts", () => {
  const world = new World();
  const root = world.system.start<number>("root", (context) => {
    const child = context.spawn("child", handler<string>(() => {}, () => ({ stopping: () => "later" })));
    return {
      receive: (deadlineMs) => context.stop(child, deadlineMs),
      exited: (_, reason) => world.seen.push(`${reason.type} at ${Math.round(context.now())}`),
    };
  });
  for (const deadlineMs of [500, 900, 200]) world.tell(root, deadlineMs);
  world.loop.runFor(2_000);
  assert.deepEqual(world.seen, ["killed at 200"]);
});

Deno.test("an actor that crashes while it stops has crashed", () => {
  const world = new World();
  const root = world.system.start<string>("root", (context) => {
    const child = context.spawn(
      "child",
      handler<string>(() => {
        throw new Error("too late");
      }, () => ({ stopping: () => "later" })),
    );
    context.stop(child, 500);
    return { receive: () => context.send(child, "go"), exited: (_, reason) => world.seen.push(reason.type) };
  });
  world.tell(root, "go");
  assert.deepEqual(world.seen, ["crashed"]);
});

Deno.test("what an actor holds outside is released at every kind of end, last first, though a release throws", () => {
  for (const end of ["exit", "crash", "kill"] as const) {
    const world = new World();
    const root = world.system.start<string>("root", (context) => {
      const child = context.spawn(
        "child",
        handler<string>((_, own) => {
          if (end === "crash") throw new Error("crash");
          own.exit();
        }, (own) => {
          own.atEnd(() => world.seen.push("first"));
          own.atEnd(() => {
            throw new Error("stuck");
          });
          own.atEnd(() => world.seen.push("last"));
          return {};
        }),
      );
      return { receive: () => end === "kill" ? context.kill(child) : context.send(child, "go") };
    });
    world.tell(root, "go");
    assert.deepEqual(world.seen, ["last", "first"], end);
    assert.ok(world.log.some((line) => line.includes("could not release what it held: Error: stuck")), end);
  }
});

Deno.test("what was held is released when a start throws, or when it is taken after the end", () => {
  const world = new World();
  let holdLate = () => {};
  world.system.start<string>("root", (context) => {
    context.spawn<string>("child", (own) => {
      own.atEnd(() => world.seen.push("released"));
      holdLate = () => own.atEnd(() => world.seen.push("released at once"));
      throw new Error("half a start");
    });
    return { receive: () => {} };
  });
  holdLate();
  assert.deepEqual(world.seen, ["released", "released at once"]);
});
