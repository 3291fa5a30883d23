import assert from "node:assert/strict";
import { countsOf } from "../../scripts/ok.ts";

Deno.test("the gate counts what the runner says, coloured or not", () => {
  const plain = "noise\n\nFAILED | 1 passed (2 steps) | 3 failed (1 step) | 4 ignored (63ms)\n";
  assert.deepEqual(countsOf(plain, false), { passed: 1, failed: 3, skipped: 4 });
  const coloured = "\u001b[0m\u001b[32mok\u001b[0m | 20 passed | 0 failed \u001b[38;5;245m(47ms)\u001b[0m\n";
  assert.deepEqual(countsOf(coloured, true), { passed: 20, failed: 0, skipped: 0 });
});

Deno.test("a run that died before its summary is a failure, one without tests is none", () => {
  assert.deepEqual(countsOf("error: out of memory\n", false), { passed: 0, failed: 1, skipped: 0 });
  assert.deepEqual(countsOf("", true), { passed: 0, failed: 0, skipped: 0 });
});

Deno.test("a summary that a test printed is not taken for the runner's", () => {
  const text = "ok | 7 passed | 0 failed (1ms)\nok | 2 passed | 0 failed (3ms)\n";
  assert.deepEqual(countsOf(text, true), { passed: 2, failed: 0, skipped: 0 });
});
