import assert from "node:assert/strict";
import { FILES, read, SOURCES } from "./source.ts";

const PUBLIC = /^(shared\/.*|client\/mod)\.ts$/;
const EXPORT =
  /^export (?:default )?(?:abstract )?(?:async )?(?:function\*?|class|interface|type|const|let|enum)\s+(\w+)/;

Deno.test("every file opens with a comment whose first sentence says what it is", () => {
  const silent = SOURCES.filter((path) => !path.endsWith("_test.ts") && !path.startsWith("tests/fixtures/"))
    .filter((path) =>
      !/^(#![^\n]*\n)?(\/\/[^\n]*\n)*\/\*\*[\s*]*[A-Z`"(][^@]*?[.:?](\s|\*\/)/.test(read(path))
    );
  assert.deepEqual(silent, []);
});

Deno.test("what the shared rooms and the library export has a docstring", () => {
  const missing = SOURCES.filter((path) => PUBLIC.test(path)).flatMap((path) => {
    const lines = read(path).split("\n");
    return lines.flatMap((line, index) => {
      const name = EXPORT.exec(line)?.[1];
      if (name === undefined || isDocumented(lines, index) || isSaidElsewhere(lines, index, name)) return [];
      return [`${path}:${index + 1}: ${name}`];
    });
  });
  assert.equal(missing.join("\n"), "");
});

/** One docstring may speak for a block of declarations of one line each. */
function isDocumented(lines: readonly string[], index: number): boolean {
  const above = lines[index - 1] ?? "";
  if (above.trimEnd().endsWith("*/")) return true;
  return EXPORT.test(above) && above.endsWith(";") && isDocumented(lines, index - 1);
}

/** Of the forms of one function the first speaks for all; what a value says, its type need not repeat. */
function isSaidElsewhere(lines: readonly string[], index: number, name: string): boolean {
  if (/^export type .*\btypeof \w+/.test(lines[index] ?? "")) return true;
  return lines.slice(0, index).some((line, above) =>
    EXPORT.exec(line)?.[1] === name && isDocumented(lines, above)
  );
}

const mapIsThere = FILES.includes("ARCHITECTURE.md");

Deno.test("every room is on the map", { ignore: !mapIsThere }, () => {
  const map = read("ARCHITECTURE.md");
  const rooms = new Set(
    FILES.flatMap((path) => /^(?:shared|master|worker|client)\/[\w-]+(?=\/)/.exec(path)?.[0] ?? []),
  );
  const missing = [...rooms].filter((room) => !map.includes(room.split("/")[1] ?? room));
  assert.deepEqual(missing, []);
});
