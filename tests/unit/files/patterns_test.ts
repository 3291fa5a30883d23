import assert from "node:assert/strict";
import fc from "fast-check";
import { filePatterns } from "../../../worker/files/patterns.ts";

const matches = (pattern: string, name: string) => filePatterns([pattern]).matches(name);

const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["*.png", ["a.png", ".png", "a b.png"], ["a.jpg", "d/a.png", "a.png.txt"]],
  ["**/*.png", ["a.png", "d/a.png", "d/e/a.png"], ["d/a.jpg"]],
  ["out/**", ["out/a", "out/d/a"], ["out", "a", "outer/a"]],
  ["./out/", ["out"], ["out/a"]],
  ["step?.pt", ["step1.pt"], ["step.pt", "step10.pt", "step/.pt"]],
  ["a/**/b", ["a/b", "a/c/b", "a/c/d/b"], ["b", "a/b/c"]],
  ["**", ["a", "a/b"], []],
  ["a+(b)[c]{d}^$.|x", ["a+(b)[c]{d}^$.|x"], ["aab"]],
  ["größe-*", ["größe-1"], ["grösse-1"]],
];

Deno.test("patterns match what people expect of them", () => {
  for (const [pattern, yes, no] of CASES) {
    for (const name of yes) assert.ok(matches(pattern, name), `${pattern} ${name}`);
    for (const name of no) assert.ok(!matches(pattern, name), `${pattern} ${name}`);
  }
});

Deno.test("a name is its own pattern, whatever letters it has, and a folder that may hold a match is looked into", () => {
  const part = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 })
    .filter((text) => !/[*?/\\]/.test(text) && text !== "." && text !== ".." && text.isWellFormed());
  fc.assert(fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
    const name = parts.join("/");
    assert.ok(matches(name, name));
    assert.ok(matches(`**/${parts.at(-1)}`, name));
    for (let depth = 1; depth < parts.length; depth += 1) {
      assert.ok(filePatterns([name]).mayMatchBelow(parts.slice(0, depth).join("/")));
    }
  }));
});

Deno.test("a pattern of many stars is held against a long name in no time", () => {
  assert.ok(!matches("*a".repeat(12) + "b", "a".repeat(120)));
});
