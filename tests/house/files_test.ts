import assert from "node:assert/strict";
import { codeOf, FILES, findings, read, SOURCES } from "./source.ts";

const LINES_MAX = 400;
const SAY_NOTHING = new Set([
  "util",
  "utils",
  "helper",
  "helpers",
  "common",
  "misc",
  "manager",
  "managers",
  "types",
]);
/** Written so that this file does not find itself. */
const UNFINISHED = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"].join("|")})\\b`);
const MACHINE_PATH = new RegExp(`(?<![\\w.-])/(${["wo" + "rk", "ro" + "ot"].join("|")})/`);
const UNTYPED = /(?::|\bas)\s*any\b|<any\b|\bany\[\]/;
const ASSERTED = /[\w)\]]!(?=[.;,)\]}[]|$)/;

const written = FILES.filter((path) => /\.(tsx?|py|sh)$/.test(path));

Deno.test("names of files and folders say what is inside", () => {
  const nothing = FILES.filter((path) =>
    path.split("/").some((part) => part.split(/[._-]/).some((word) => SAY_NOTHING.has(word)))
  );
  assert.deepEqual(nothing, []);
});

Deno.test("TypeScript files are named in snake_case", () => {
  const wrong = SOURCES.filter((path) => !/^[a-z0-9_]+(\.d)?\.tsx?$/.test(path.split("/").at(-1) ?? ""));
  assert.deepEqual(wrong, []);
});

Deno.test(`no file is longer than ${LINES_MAX} lines`, () => {
  const lengths = written.map((path) => ({ path, lines: read(path).split("\n").length - 1 }));
  assert.deepEqual(lengths.filter(({ lines }) => lines > LINES_MAX), []);
});

Deno.test("nothing is left to be done later", () => {
  assert.equal(written.flatMap((path) => findings(path, read(path), UNFINISHED)).join("\n"), "");
});

Deno.test("nothing names a folder of the machine it was written on", () => {
  assert.equal(FILES.flatMap((path) => findings(path, read(path), MACHINE_PATH)).join("\n"), "");
});

Deno.test("nothing is untyped, and nobody claims that what may be absent is there", () => {
  const wrong = SOURCES.flatMap((path) => {
    const code = codeOf(read(path));
    return [...findings(path, code, UNTYPED), ...findings(path, code, ASSERTED)];
  });
  assert.equal(wrong.join("\n"), "");
});

Deno.test("the type checker is nowhere switched off", () => {
  const off = new RegExp("@ts-" + "(ignore|expect-error|nocheck)");
  assert.equal(SOURCES.flatMap((path) => findings(path, read(path), off)).join("\n"), "");
});
