/**
 * How many messages a second the kernel moves, beside plain function calls through an array.
 *
 * Promise: both sides do the same work in the same run: half of the messages are a ping-pong of two actors, half a
 * fan-in of many actors to one.
 *
 * @module
 */
import type { Context, Ref } from "../../shared/actor/actor.ts";
import { System } from "../../shared/actor/system.ts";
import { RealLoop } from "../../shared/platform/real_loop.ts";

/** One measurement as the benchmarks report it. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the platform alone reaches with the same work. */
  readonly limit: number;
  readonly detail: string;
}

const ROUNDS = 5;
const EXCHANGES = 1_000_000;
const SENDERS = 100;
const MESSAGES_PER_SENDER = 10_000;
const MESSAGES = EXCHANGES + SENDERS * MESSAGES_PER_SENDER;

interface Ball {
  readonly from: Ref<Ball>;
  readonly left: number;
}

/** Measures the kernel: the median of a few rounds, after one that lets the compiler warm up. */
export async function kernelMessagesPerSecond(): Promise<Figure> {
  const kernel: number[] = [], plain: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const pingPongMs = await duration(pingPong);
    const fanInMs = await duration(fanIn);
    const plainMs = plainPingPong() + plainFanIn();
    if (round === 0) continue;
    kernel.push(MESSAGES / (pingPongMs + fanInMs) * 1_000);
    plain.push(MESSAGES / plainMs * 1_000);
  }
  return {
    name: "kernel_messages_per_second",
    value: Math.round(median(kernel)),
    unit: "messages/s",
    limit: Math.round(median(plain)),
    detail:
      `${EXCHANGES} of two actors' ping-pong and ${SENDERS} x ${MESSAGES_PER_SENDER} to one, one thread; ` +
      "limit: function calls through an array",
  };
}

/** Runs a root on the real loop until it exits. */
function duration(start: (context: Context<number>) => { receive(message: number): void }): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const system = new System(new RealLoop(), "bench", {
      rootExited: (reason) =>
        reason.type === "normal" ? resolve(performance.now() - startedMs) : reject(new Error(reason.type)),
    });
    system.start("bench", start);
  });
}

function pingPong(root: Context<number>) {
  const player = (context: Context<Ball>) => ({
    receive: ({ from, left }: Ball) => {
      if (left === 0) root.send(root.self, 0);
      else context.send(from, { from: context.self, left: left - 1 });
    },
  });
  const ping = root.spawn("ping", player), pong = root.spawn("pong", player);
  root.send(ping, { from: pong, left: EXCHANGES });
  return { receive: () => root.exit() };
}

function fanIn(root: Context<number>) {
  let sum = 0;
  const sink = root.spawn<number>("sink", () => ({
    receive: (value) => {
      sum += value;
      if (sum === SENDERS * MESSAGES_PER_SENDER) root.send(root.self, sum);
    },
  }));
  for (let i = 0; i < SENDERS; i++) {
    const sender = root.spawn<number>(`sender ${i}`, (context) => ({
      receive: (left) => {
        for (let batch = 0; batch < 10; batch++) context.send(sink, 1);
        if (left > 10) context.send(context.self, left - 10);
      },
    }));
    root.send(sender, MESSAGES_PER_SENDER);
  }
  return { receive: () => root.exit() };
}

interface PlainBall {
  readonly left: number;
  readonly to: (queue: PlainBall[], ball: PlainBall) => void;
}

function plainPingPong(): number {
  const startedMs = performance.now();
  const ping = (queue: PlainBall[], { left }: PlainBall) => {
    if (left > 0) queue.push({ left: left - 1, to: pong });
  };
  const pong = (queue: PlainBall[], { left }: PlainBall) => {
    if (left > 0) queue.push({ left: left - 1, to: ping });
  };
  drain([{ left: EXCHANGES, to: ping }]);
  return performance.now() - startedMs;
}

function plainFanIn(): number {
  const startedMs = performance.now();
  let sum = 0;
  const sink = (_: PlainBall[], { left }: PlainBall) => {
    sum += left;
  };
  const queue: PlainBall[] = [];
  for (let i = 0; i < SENDERS; i++) {
    const sender = (queue: PlainBall[], { left }: PlainBall) => {
      for (let batch = 0; batch < 10; batch++) queue.push({ left: 1, to: sink });
      if (left > 10) queue.push({ left: left - 10, to: sender });
    };
    queue.push({ left: MESSAGES_PER_SENDER, to: sender });
  }
  drain(queue);
  return performance.now() - startedMs;
}

/** Two arrays in turn: the fastest of the simple queues, as neither shifts nor grows for ever. */
function drain(first: PlainBall[]): void {
  let now = first, next: PlainBall[] = [];
  while (now.length > 0) {
    for (let i = 0; i < now.length; i++) {
      const ball = now[i];
      if (ball !== undefined) ball.to(next, ball);
    }
    now.length = 0;
    [now, next] = [next, now];
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

if (import.meta.main) console.log(await kernelMessagesPerSecond());
