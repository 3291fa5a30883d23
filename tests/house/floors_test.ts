import assert from "node:assert/strict";
import { floorOf, MAY_CLOSE_A_CYCLE, MAY_IMPORT } from "./floors.ts";
import { importsOf, SOURCES } from "./source.ts";

const ROLES = ["master", "worker", "client"];
const house = SOURCES.filter((path) => floorOf(path) !== undefined);
const imports = new Map(house.map((path) => [path, importsOf(path)]));
const edges = house.flatMap((from) => (imports.get(from) ?? []).map((to) => ({ from, to })));

function roleOf(path: string): string | undefined {
  return ROLES.find((role) => path.startsWith(`${role}/`));
}

function shown(wrong: readonly { from: string; to: string }[]): string {
  return wrong.map(({ from, to }) => `${from} imports ${to}`).join("\n");
}

Deno.test("every import names a file that exists", () => {
  const files = new Set(SOURCES);
  const wrong = edges.filter(({ to }) => /^[\w./-]+\.tsx?$/.test(to) && to.includes("/") && !files.has(to));
  assert.equal(shown(wrong), "");
});

Deno.test("imports point down: no file stands on a higher floor's", () => {
  const wrong = edges.filter(({ from, to }) => (floorOf(to)?.height ?? -1) > (floorOf(from)?.height ?? -1));
  assert.equal(shown(wrong), "", "see tests/house/floors.ts");
});

Deno.test("the rooms in shared/ import only what they may", () => {
  const wrong = edges.filter(({ from, to }) => {
    const [room = "", allowed] = Object.entries(MAY_IMPORT).find(([each]) => from.startsWith(each)) ?? [];
    return allowed !== undefined && /\.tsx?$/.test(to) && !to.startsWith(room) && !allowed.test(to);
  });
  assert.equal(shown(wrong), "");
});

Deno.test("every file in shared/ is in a room with rules", () => {
  const homeless = house.filter((path) =>
    path.startsWith("shared/") && !Object.keys(MAY_IMPORT).some((room) => path.startsWith(room))
  );
  assert.deepEqual(homeless, []);
});

Deno.test("master, worker and client never import one another, and nobody imports main.ts", () => {
  const wrong = edges.filter(({ from, to }) => {
    const role = roleOf(to);
    return to === "main.ts" || (from !== "main.ts" && role !== undefined && roleOf(from) !== role);
  });
  assert.equal(shown(wrong), "");
});

Deno.test("no file of the house imports tests, scripts or examples", () => {
  assert.equal(shown(edges.filter(({ to }) => /^(tests|scripts|examples)\//.test(to))), "");
});

Deno.test("imports make no cycle, types included", () => {
  const done = new Set<string>();
  function cycleFrom(path: string, way: readonly string[]): readonly string[] | undefined {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const to of imports.get(path) ?? []) {
      if (`${path} imports ${to}` in MAY_CLOSE_A_CYCLE) continue;
      const cycle = cycleFrom(to, [...way, path]);
      if (cycle !== undefined) return cycle;
    }
    done.add(path);
    return undefined;
  }
  for (const path of house) assert.equal(cycleFrom(path, [])?.join("\n  imports "), undefined);
});
