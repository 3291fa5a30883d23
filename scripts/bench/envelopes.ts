/**
 * How many envelopes a second go through encoding, decoding and checking, beside bare msgpack on the same objects.
 *
 * Promise: both sides do the same rounds in turns in the same run; the best round of each counts, because whatever else
 * the machine does only ever slows a round down.
 *
 * @module
 */
import { Decoder, Encoder } from "@msgpack/msgpack";
import { epochOf, groupId, taskId } from "../../shared/model/ids.ts";
import { decodeFrame, encodeFrames } from "../../shared/protocol/codec.ts";
import {
  type FromWorker,
  fromWorker,
  type ToWorker,
  toWorker,
} from "../../shared/protocol/worker_envelopes.ts";
import type { Figure } from "./kernel.ts";

/** Envelopes in a frame: what a busy turn of the master sends to a worker. */
const FRAME_ENVELOPES = 64;
const FRAMES_A_ROUND = 400;
const ROUNDS = 15;
const PAYLOAD_BYTES = 300;

const EPOCH = epochOf("0123456789abcdef0123456789abcdef", 17, "0a0b0c0d");

/** The three messages of a trial on the wire (assign, result, acknowledge) and a report, in equal parts. */
export function envelopesPerSecond(): Promise<Figure> {
  const said = frameOf(workerSays);
  const told = frameOf(masterSays);
  let ours = 0;
  let bare = 0;
  for (let round = 0; round < ROUNDS; round++) {
    ours = Math.max(ours, rate(() => throughCodec(said, told)));
    bare = Math.max(bare, rate(() => throughMsgpack(said, told)));
  }
  return Promise.resolve({
    name: "envelopes_per_second",
    value: Math.round(ours),
    unit: "envelopes/s",
    limit: Math.round(bare),
    detail: `encode, decode and check of assign (${PAYLOAD_BYTES} bytes), acknowledge, report and result, ` +
      `${FRAME_ENVELOPES} a frame, on one core; limit: bare @msgpack/msgpack on the same objects, unchecked`,
  });
}

/** Envelopes a second of a call that handles two frames. */
function rate(call: () => number): number {
  const startedMs = performance.now();
  let envelopes = 0;
  for (let index = 0; index < FRAMES_A_ROUND / 2; index++) envelopes += call();
  return envelopes / (performance.now() - startedMs) * 1_000;
}

function throughCodec(said: readonly FromWorker[], told: readonly ToWorker[]): number {
  let envelopes = 0;
  for (const bytes of encodeFrames(said)) envelopes += count(decodeFrame(bytes, fromWorker));
  for (const bytes of encodeFrames(told)) envelopes += count(decodeFrame(bytes, toWorker));
  return envelopes;
}

function count(frame: ReturnType<typeof decodeFrame>): number {
  if (!frame.ok) throw new Error(`${frame.problem.path}: ${frame.problem.message}`);
  return frame.envelopes.length;
}

const encoder = new Encoder({ ignoreUndefined: true, initialBufferSize: 64 * 1024 });
const decoder = new Decoder();

function throughMsgpack(...frames: readonly (readonly unknown[])[]): number {
  let envelopes = 0;
  for (const frame of frames) {
    const list = decoder.decode(encoder.encode(frame));
    envelopes += Array.isArray(list) ? list.length : 0;
  }
  return envelopes;
}

function frameOf<T>(make: (index: number) => T): readonly T[] {
  return Array.from({ length: FRAME_ENVELOPES }, (_, index) => make(index));
}

function workerSays(index: number): FromWorker {
  const lease = leaseOf(index);
  if (index % 2 === 0) {
    return {
      type: "report",
      ...lease,
      number: index + 1,
      step: index,
      metrics: { accuracy: 0.9 + index / 1_000, loss: 0.1 },
    };
  }
  const end = { state: "completed", metrics: { accuracy: 0.9 + index / 1_000, loss: 0.1 } } as const;
  return { type: "result", ...lease, end, elapsedMs: 1_234.5 };
}

function masterSays(index: number): ToWorker {
  const lease = leaseOf(index);
  if (index % 2 === 0) {
    return { type: "acknowledge", ...lease, verdict: "recorded", by: null, commit: 100_000 + index };
  }
  const [template, payload] = [new Uint8Array(120), new Uint8Array(PAYLOAD_BYTES)];
  return { type: "assign", ...lease, template, payload };
}

function leaseOf(index: number) {
  return { epoch: EPOCH, task: taskId(groupId("digits-1"), 1_000 + index), attempt: 1 };
}
