import assert from "node:assert/strict";
import { floorOf } from "./floors.ts";
import { codeOf, findings, read, SOURCES } from "./source.ts";

/** Not as a property of something else, nor as the name of one. */
const IMPURE =
  /(?<![.\w#])(?:Deno|Date|setTimeout|setInterval|setImmediate|queueMicrotask|performance|console|await|async)\b(?!\s*\??:)|\bMath\.random\b|(?<![.\w#])fetch\s*\(|(?<![.\w#])crypto\./;

Deno.test("time, chance and the world reach the pure rooms only through messages and the actor's context", () => {
  const pure = SOURCES.filter((path) => floorOf(path)?.pure);
  assert.ok(pure.length > 0);
  assert.equal(pure.flatMap((path) => findings(path, codeOf(read(path)), IMPURE)).join("\n"), "");
});

Deno.test("the check sees code and not what stands in comments, strings and patterns", () => {
  const code = (text: string) => findings("file", codeOf(text), IMPURE).length;
  for (
    const pure of [
      "// Date",
      "/* await\n Deno */",
      '"Date.now()"',
      "`fetch(1)`",
      "x = /Date/;",
      "loop.fetch(1)",
    ]
  ) {
    assert.equal(code(pure), 0, pure);
  }
  for (
    const impure of [
      "Date.now()",
      "`${Date.now()}`",
      "a / Date / b",
      "await x",
      "f(async () => {})",
      "fetch (1)",
    ]
  ) {
    assert.equal(code(impure), 1, impure);
  }
});
