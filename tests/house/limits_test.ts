import assert from "node:assert/strict";
import { LIMITS_PAGE, limitsText } from "../../scripts/limits.ts";

Deno.test("docs/limits.md is what scripts/limits.ts writes", async () => {
  assert.equal(await Deno.readTextFile(LIMITS_PAGE), await limitsText(), "run scripts/limits.ts");
});

Deno.test("the page of limits has a meaning and a value for each constant", async () => {
  const rows = (await Deno.readTextFile(LIMITS_PAGE)).split("\n").filter((line) => line.startsWith("| `"));
  assert.ok(rows.length > 100);
  assert.deepEqual(rows.filter((row) => row.split(" | ").some((cell) => cell.trim() === "")), []);
});
