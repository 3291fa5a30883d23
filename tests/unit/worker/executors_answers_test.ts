import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { AnswerReader } from "../../../worker/executors/module/answer_reader.ts";
import { HARNESS } from "../../../worker/executors/module/deno_program.ts";
import { encodeFrame, FRAME_BYTES_MAX, prefixOf } from "../../../worker/executors/module/harness/frame.ts";
import type { Answer } from "../../../worker/executors/module/harness/message.ts";
import {
  isMetrics,
  METRIC_NAME_MAX as HARNESS_METRIC_NAME_MAX,
  METRICS_MAX as HARNESS_METRICS_MAX,
  metricsProblem,
} from "../../../worker/executors/module/harness/metrics.ts";
import { Printed } from "../../../worker/executors/printed.ts";
import { decodeFrame, encode } from "../../../shared/protocol/codec.ts";
import { METRIC_NAME_MAX, METRICS_MAX } from "../../../shared/protocol/limits.ts";

const MARK = "000102030405060708090a0b0c0d0e0f";
const PREFIX = prefixOf(MARK);

function reader() {
  const printed: number[] = [];
  return { printed, reader: new AnswerReader(MARK, (bytes) => printed.push(...bytes)) };
}

const report = (step: number): Answer => ({ type: "report", id: 1, step, metrics: { loss: step / 2 } });

/** Prints, with more of the mark's bytes than chance would give. */
const print = fc.array(fc.oneof(fc.constantFrom(...PREFIX), fc.nat(255)), { maxLength: 60 })
  .map((bytes) => Uint8Array.from(bytes));

Deno.test("answers are found among prints, however the output is cut", () => {
  const parts = fc.array(fc.oneof(print, fc.nat(1_000)), { maxLength: 12 });
  fc.assert(fc.property(parts, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (given, cuts) => {
    const bytes: number[] = [], prints: number[] = [], answers: Answer[] = [];
    for (const part of given) {
      if (typeof part === "number") {
        answers.push(report(part));
        bytes.push(...encodeFrame(report(part), PREFIX));
      } else {
        prints.push(...part);
        bytes.push(...part);
      }
    }
    const { reader: cutter, printed } = reader();
    const found: Answer[] = [];
    for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
      const length = cuts[cut % cuts.length] ?? 1;
      found.push(...cutter.push(Uint8Array.from(bytes.slice(at, at + length))));
      at += length;
    }
    cutter.end();
    deepEqual(found, answers);
    deepEqual(printed, prints);
  }));
});

Deno.test("a broken answer is an error", () => {
  const broken = [
    encodeFrame({ type: "surprise" }, PREFIX),
    encodeFrame({ ...report(1), extra: true }, PREFIX),
    encodeFrame({ ...report(1), metrics: { loss: "low" } }, PREFIX),
    Uint8Array.from([...PREFIX, 0, 0, 0, 2, 123, 123]),
    Uint8Array.from([...PREFIX, 255, 255, 255, 255]),
  ];
  for (const bytes of broken) throws(() => reader().reader.push(bytes));
});

Deno.test("an answer as large as the limit is read", () => {
  const message = "x".repeat(FRAME_BYTES_MAX - 1_000);
  const answer: Answer = { type: "unloadable", message, final: true };
  deepEqual(reader().reader.push(encodeFrame(answer, PREFIX)), [answer]);
});

Deno.test("the first and the last of what is printed are kept", () => {
  const printed = new Printed();
  printed.add(new TextEncoder().encode("first "));
  equal(printed.text(), "first");
  for (let line = 0; line < 10_000; line += 1) printed.add(new TextEncoder().encode("middle "));
  printed.add(new TextEncoder().encode("x".repeat(5_000)));
  printed.add(new TextEncoder().encode(" last"));
  const text = printed.text();
  equal(text.startsWith("first middle"), true);
  equal(text.endsWith("xxx last"), true);
  equal(/\[(\d+) bytes left out\]/.exec(text)?.[1], String(6 + 70_000 + 5_000 + 5 - 1_024 - 3_072));
  printed.clear();
  equal(printed.text(), "");
});

Deno.test("the harness has the protocol's limits on metrics", () => {
  equal(HARNESS_METRICS_MAX, METRICS_MAX);
  equal(HARNESS_METRIC_NAME_MAX, METRIC_NAME_MAX);
  equal(isMetrics({ "": 1 }), false);
  equal(isMetrics({}), true);
});

Deno.test("a metric whose name no frame can carry is found before it is sent", () => {
  const metrics: unknown = JSON.parse('{ "loss": 1, "__proto__": 2 }');
  equal(decodeFrame(encode([metrics]), z.unknown()).ok, false);
  equal(metricsProblem(metrics), 'one of its metrics is called "__proto__"');
  const failing = reader();
  const bytes = encodeFrame({ type: "report", id: 1, step: 1, metrics } as Answer, PREFIX);
  throws(() => failing.reader.push(bytes));
});

Deno.test("the harness can be written out: what it imports is in the list", () => {
  const imported = Object.values(HARNESS).flatMap((text) =>
    [...text.matchAll(/^import (?!type )[^;]* from "\.\/([^"]+)";/gm)].map((found) => found[1])
  );
  deepEqual(imported.filter((name) => name === undefined || !(name in HARNESS)), []);
  equal(imported.length > 0, true);
});
