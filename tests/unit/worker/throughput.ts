/**
 * How many empty tasks a second go through the worker's tree, in memory and on the real run loop: frames are encoded,
 * decoded and checked on the worker's side only.
 *
 * Run: `deno run -A tests/unit/worker/throughput.ts [tasks] [batch]`
 *
 * @module
 */
import { seededRandom } from "../../../shared/actor/random.ts";
import { System } from "../../../shared/actor/system.ts";
import { groupId, incarnation, taskId, workerId } from "../../../shared/model/ids.ts";
import { NO_RESOURCES } from "../../../shared/model/resources.ts";
import { decode, encode, encodeFrames } from "../../../shared/protocol/codec.ts";
import { RealLoop } from "../../../shared/platform/real_loop.ts";
import type { SocketEvent } from "../../../shared/protocol/socket_port.ts";
import type { ToWorker } from "../../../shared/protocol/worker_envelopes.ts";
import { builtinExecutor } from "../../../worker/executors/builtin.ts";
import { workerTree } from "../../../worker/tree.ts";
import { EPOCH } from "./fake_master.ts";
import { NOOP } from "./rig.ts";

const TASKS = Number(Deno.args[0] ?? 400_000);
const BATCH = Number(Deno.args[1] ?? 256);
const template = encode(NOOP);
const payload = encode({ candidate: { a: seededRandom("payload").next(), text: "x".repeat(200) } });
const group = groupId("measure-0123456789abcdef");

/** All frames are made before the clock starts: assignments, then the acknowledgements of their results. */
function framesOf(first: number): { readonly assigns: Uint8Array; readonly acknowledges: Uint8Array } {
  const assigns: ToWorker[] = [];
  const acknowledges: ToWorker[] = [];
  for (let number = first; number < first + BATCH; number++) {
    const lease = { epoch: EPOCH, task: taskId(group, number), attempt: 1 };
    assigns.push({ type: "assign", ...lease, template, payload });
    acknowledges.push({ type: "acknowledge", ...lease, verdict: "recorded", by: null, commit: number });
  }
  const [a] = encodeFrames(assigns);
  const [b] = encodeFrames(acknowledges);
  if (a === undefined || b === undefined) throw new Error("a batch is empty");
  return { assigns: a, acknowledges: b };
}

const batches = Array.from({ length: Math.ceil(TASKS / BATCH) }, (_, index) => framesOf(1 + index * BATCH));
let next = 0;
let startedMs = 0;
let waitsForResults = 0;
let tell: (event: SocketEvent) => void = () => {};

function sendNext(): void {
  const batch = batches[next++];
  if (batch === undefined) {
    const seconds = (performance.now() - startedMs) / 1_000;
    const count = batches.length * BATCH;
    console.log(`${count} tasks in ${seconds.toFixed(2)} s: ${Math.round(count / seconds)} a second`);
    system.halt();
    return;
  }
  waitsForResults = BATCH;
  tell({ type: "frame", bytes: batch.assigns });
}

function heard(frame: Uint8Array): void {
  if (startedMs === 0) {
    const value = decode(frame);
    if (!Array.isArray(value) || value[0]?.type !== "register") throw new Error("expected register");
    const [welcome] = encodeFrames([
      { type: "welcome", epoch: EPOCH, commit: 0, heartbeatMs: 10_000, keep: [] },
    ]);
    if (welcome !== undefined) tell({ type: "frame", bytes: welcome });
    startedMs = performance.now();
    return sendNext();
  }
  // The array's length in the head of the frame: decoding it is the master's business.
  waitsForResults -= new DataView(frame.buffer, frame.byteOffset).getUint16(1);
  const batch = batches[next - 1];
  if (waitsForResults > 0 || batch === undefined) return;
  tell({ type: "frame", bytes: batch.acknowledges });
  sendNext();
}

const system = new System(new RealLoop(), "measure");
system.start(
  "worker",
  workerTree({
    dialer: {
      dial: (_url, _token, events) => {
        tell = events;
        const port = { send: heard, bufferedBytes: () => 0, close: () => {} };
        setTimeout(() => events({ type: "opened", port }), 0);
      },
    },
    executors: [builtinExecutor()],
    journal: { waiting: () => [], append: () => {}, settle: () => {} },
    seen: { read: () => null, note: () => {} },
    setAside: () => {},
    vitals: { start: () => () => {} },
    exit: () => {},
  }, {
    masters: ["ws://memory"],
    token: "",
    worker: workerId("w1"),
    incarnation: incarnation("life"),
    slots: 4,
    pool: NO_RESOURCES,
    facts: {
      hostname: "",
      os: "",
      arch: "",
      cpus: 1,
      memoryBytes: 1,
      pid: 1,
      runtime: "",
      software: "",
    },
  }),
);
