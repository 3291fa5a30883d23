/**
 * What comes out of a Python harness's two pipes, cut anywhere.
 *
 * @module
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  ANSWER_BYTES_MAX,
  type PythonAnswer,
  PythonAnswers,
} from "../../../worker/executors/python/python_answer.ts";
import { PrintReader } from "../../../worker/executors/print_reader.ts";

const MARK = "0123456789abcdef0123456789abcdef";
const utf8 = new TextEncoder();
const text = new TextDecoder();

/** The prints of each attempt, and those behind the last mark. */
function readPrints(chunks: readonly Uint8Array[]): (string | number)[] {
  const reader = new PrintReader(MARK);
  const read: (string | number)[] = [""];
  const add = (bytes: Uint8Array) => {
    const last = read.at(-1);
    if (typeof last === "string") read[read.length - 1] = last + text.decode(bytes);
    else read.push(text.decode(bytes));
  };
  for (const piece of chunks.flatMap((chunk) => reader.push(chunk))) {
    if ("endOf" in piece) read.push(piece.endOf);
    else add(piece);
  }
  add(reader.end());
  return read;
}

Deno.test("prints are told from marks, wherever the pipe cuts them", () => {
  const bytes = utf8.encode(
    `one\0\0${MARK} 1\n\0${MARK} 2\ntwo \0${MARK.slice(0, 9)} three\0${MARK} 34567\n\0`,
  );
  const expected = ["one\0", 1, 2, `two \0${MARK.slice(0, 9)} three`, 34567, "\0"];
  for (let at = 0; at <= bytes.length; at += 1) {
    for (const to of [at, at + 1, at + 40, bytes.length]) {
      const read = readPrints([bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)]);
      deepEqual(read.filter((piece) => piece !== ""), expected, `${at} ${to}`);
    }
  }
});

Deno.test("what is printed is handed on at once, but for what may be the beginning of a mark", () => {
  const reader = new PrintReader(MARK);
  const [piece] = reader.push(utf8.encode("50 %"));
  ok(piece instanceof Uint8Array);
  equal(text.decode(piece), "50 %");
  deepEqual(reader.push(utf8.encode(`\0${MARK} 12345`)), []);
  // No number is so long: it was printed after all.
  equal(reader.push(utf8.encode("9".repeat(40))).length, 1);
});

Deno.test("answers come whole, wherever the pipe cuts them", () => {
  const answers: PythonAnswer[] = [
    { type: "loaded" },
    { type: "report", id: 1, step: null, metrics: { "ü": 0.5 } },
    { type: "completed", id: 1, metrics: { a: 1 }, aborted: false, left: null },
  ];
  const bytes = utf8.encode(answers.map((answer) => `${JSON.stringify(answer)}\n`).join(""));
  for (let at = 0; at <= bytes.length; at += 1) {
    const reader = new PythonAnswers();
    deepEqual([...reader.push(bytes.subarray(0, at)), ...reader.push(bytes.subarray(at))], answers);
  }
});

Deno.test("a line that is no answer is refused, and so is one without an end", () => {
  const refused = [
    "hello\n",
    "{}\n",
    '{"type":"report","id":1,"step":1,"metrics":{"a":NaN}}\n',
    '{"type":"report","id":1,"step":1,"metrics":{"a":1e999}}\n',
    '{"type":"report","id":1,"step":-1,"metrics":{}}\n',
    '{"type":"completed","id":1,"metrics":{"a":1},"aborted":false}\n',
    `${" ".repeat(ANSWER_BYTES_MAX + 1)}{"type":"loaded"}\n`,
    " ".repeat(ANSWER_BYTES_MAX + 1),
  ];
  for (const line of refused) throws(() => new PythonAnswers().push(utf8.encode(line)), line.slice(0, 60));
});
