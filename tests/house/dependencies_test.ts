import assert from "node:assert/strict";
import { importsOf, read, SOURCES } from "./source.ts";

const imports: Record<string, string> = JSON.parse(read("deno.json")).imports;

Deno.test("every package is pinned to one version, from npm", () => {
  const loose = Object.entries(imports).filter(([, to]) =>
    !/^npm:(@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+$/.test(to)
  );
  assert.deepEqual(loose, []);
});

Deno.test("files import only packages that deno.json names, parts of Node, and other files", () => {
  const known = (to: string) =>
    /^node:/.test(to) || Object.keys(imports).some((name) => to === name || to.startsWith(`${name}/`));
  const unknown = SOURCES.filter((path) => !path.startsWith("tests/fixtures/")).flatMap((path) =>
    importsOf(path).filter((to) => !/\.(tsx?|json|py)$/.test(to) && !known(to)).map((to) =>
      `${path} imports ${to}`
    )
  );
  assert.equal(unknown.join("\n"), "");
});

Deno.test("every package that deno.json names is imported somewhere", {
  ignore: !SOURCES.includes("main.ts"),
}, () => {
  const used = new Set(SOURCES.flatMap(importsOf));
  // The compiler imports the runtime of JSX by itself.
  const unused = Object.keys(imports).filter((name) =>
    name !== "preact" && ![...used].some((to) => to === name || to.startsWith(`${name}/`))
  );
  assert.deepEqual(unused, []);
});
