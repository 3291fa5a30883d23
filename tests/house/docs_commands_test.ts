import assert from "node:assert/strict";
import { runCli } from "../../client/cli/program.ts";
import type { Roles } from "../../client/cli/roles.ts";
import type { Terminal } from "../../client/cli/terminal.ts";
import { FILES, read } from "./source.ts";

const PAGES = FILES.filter((path) => /^(README|CONTRIBUTING|docs\/.*|examples\/.*)\.md$/.test(path));
const TASKS: Readonly<Record<string, unknown>> = JSON.parse(read("deno.json")).tasks;

const commands = PAGES.flatMap((page) =>
  [...read(page).matchAll(/^```(?:sh|ini)\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) =>
    block.split("\n").filter((line) => /\b(espalier|deno task|deno@[\d.]+ task) /.test(line))
      .map((line) => ({ page, line }))
  )
);

Deno.test("every task that the docs name is one of deno.json", () => {
  const unknown = commands.filter(({ line }) => {
    const task = /deno(?:@[\d.]+)? task (\S+)/.exec(line)?.[1];
    return task !== undefined && !(task in TASKS);
  });
  assert.deepEqual(unknown, []);
});

Deno.test("every verb that the docs show is there, with its options", async () => {
  const wrong: string[] = [];
  for (const { page, line } of commands) {
    const [, task, rest = ""] = /\b(espalier|(?:master|worker)(?= )) (.*)$/.exec(line) ?? [];
    if (task === undefined) continue;
    const words = task === "espalier" ? rest.split(" ") : [task, ...rest.split(" ")];
    const help = await helpOf(words[0] ?? "");
    const options = words.filter((word) => word.startsWith("--"));
    if (help === undefined) wrong.push(`${page}: no verb ${words[0]}: ${line}`);
    for (const option of options) {
      if (!help?.includes(`${option} `)) wrong.push(`${page}: ${option}: ${line}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("every verb has its place in docs/cli.md and in the README", async () => {
  const verbs = [...(await helpOf("") ?? "").matchAll(/^ {2}(\w+) \[options\]/gm)].map(([, verb = ""]) =>
    verb
  );
  assert.ok(verbs.length > 10);
  const absent = (page: string) => verbs.filter((verb) => !new RegExp(`\\b${verb}\\b`).test(read(page)));
  assert.deepEqual(absent("docs/cli.md"), []);
  assert.deepEqual(absent("README.md"), []);
});

/** What a verb says of itself; undefined where there is no such verb. */
async function helpOf(verb: string): Promise<string | undefined> {
  const printed: string[] = [];
  const terminal: Terminal = {
    out: (text) => void printed.push(text),
    note: () => {},
    draw: () => {},
    isInteractive: false,
    columns: 80,
    env: () => undefined,
  };
  const roles: Roles = {
    program: "",
    startMaster: () => Promise.reject(new Error("help starts nothing")),
    startWorker: () => ({ stopped: Promise.resolve(0), stop: () => {} }),
    rotateTokens: () => Promise.resolve(undefined),
    verify: () => ({ kind: "nothing", message: "" }),
  };
  const code = await runCli(verb === "" ? ["--help"] : [verb, "--help"], roles, terminal);
  const text = printed.join("\n");
  // Asked about what it does not know, the program tells of itself.
  return code === 0 && text.startsWith(`Usage: espalier ${verb}`) ? text : undefined;
}
