import assert from "node:assert/strict";
import { FILES, read, ROOT } from "./source.ts";

const TYPESCRIPT = /^( \* )?```ts\b/m;
/** The library's examples speak to a master: they are checked, not run. */
const pages = FILES.filter((path) =>
  /^(docs\/.*\.md|README\.md|client\/mod\.ts)$/.test(path) && TYPESCRIPT.test(read(path))
);
const commented = FILES.filter((path) => /^shared\/.*\.ts$/.test(path) && TYPESCRIPT.test(read(path)));

/** Runs deno with the project's settings, but that examples may import more than they use. */
async function deno(...args: string[]): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const { imports, compilerOptions } = JSON.parse(read("deno.json"));
    const lenient = { ...compilerOptions, noUnusedLocals: false, noUnusedParameters: false };
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports, compilerOptions: lenient }));
    const [verb = "", ...rest] = args;
    const command = new Deno.Command(Deno.execPath(), {
      args: [verb, "--config", `${folder}/deno.json`, "--no-lock", ...rest],
      cwd: ROOT,
      stdin: "null",
      env: { NO_COLOR: "1" },
    });
    const { success, stdout, stderr } = await command.output();
    assert.ok(success, new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test(
  "TypeScript on the pages of the docs and of the library passes the type checker",
  { ignore: pages.length === 0 },
  async () => {
    await deno("check", "--doc-only", ...pages);
  },
);

Deno.test("examples in docstrings run", { ignore: commented.length === 0 }, async () => {
  await deno("test", "--doc", "--allow-all", ...commented);
});
