/**
 * What a reader does with output: the last lines, and what a terminal is spared.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { OutputPiece } from "../../../client/output_events.ts";
import { OutputTail } from "../../../client/output_tail.ts";
import { TerminalFilter } from "../../../client/output_terminal.ts";

const encoder = new TextEncoder();

function piece(text: string, offset: number): OutputPiece {
  const of = { type: "piece", attempt: 1, epoch: "e", worker: "w", stream: "stdout" } as const;
  return { ...of, offset, leftOutBytes: 0, data: encoder.encode(text) };
}

/** The last lines of pieces of a text, however it is cut. */
function lastLines(text: string, lines: number, pieceLength: number): string {
  const tail = new OutputTail(lines);
  for (let at = 0; at < text.length; at += pieceLength) {
    tail.add([piece(text.slice(at, at + pieceLength), at)]);
  }
  return tail.lines().map(({ data }) => new TextDecoder().decode(data)).join("");
}

Deno.test("the last lines are the same however the pieces are cut", () => {
  for (const pieceLength of [1, 2, 3, 7, 100]) {
    assert.equal(lastLines("a\nbb\nccc\n", 2, pieceLength), "bb\nccc\n");
    assert.equal(lastLines("a\nbb\nccc", 2, pieceLength), "bb\nccc");
    assert.equal(lastLines("a\n\n\n", 2, pieceLength), "\n\n");
    assert.equal(lastLines("a\nbb", 9, pieceLength), "a\nbb");
    assert.equal(lastLines("a\nbb\n", 0, pieceLength), "");
  }
});

/** What a terminal would get of bytes that come cut. */
function cleaned(bytes: Uint8Array, pieceLength: number): string {
  const filter = new TerminalFilter();
  let text = "";
  for (let at = 0; at < bytes.byteLength; at += pieceLength) {
    text += filter.clean(bytes.subarray(at, at + pieceLength));
  }
  return text + filter.end();
}

Deno.test("a terminal is given text and colours, and nothing else that steers it, however it is cut", () => {
  const title = "\x1b]0;title\x07", clipboard = "\x1b]52;c;YQ==\x1b\\", cursor = "\x1b[2J\x1b[1;1H";
  const text = `plain\ttext\r\n\x1b[1;31mred\x1b[0m ü ${title}${clipboard}${cursor}\x9b31m\b\x00\x1b`;
  const shown = "plain\ttext\r\n\x1b[1;31mred\x1b[0m ü �]0;title��]52;c;YQ==�\\�[2J�[1;1H�31m���";
  for (const pieceLength of [1, 2, 3, 5, 8, 1_000]) {
    assert.equal(cleaned(encoder.encode(text), pieceLength), shown);
  }
  assert.equal(cleaned(new Uint8Array([97, 255, 98]), 1), "a\ufffdb");
  // What begins like a colour and never ends is shown, not kept for ever.
  assert.equal(cleaned(encoder.encode(`\x1b[${"1".repeat(1_000)}`), 10).length, 1_002);
});
