import assert from "node:assert/strict";
import {
  CODE_BYTES_MAX,
  CODE_ENTRIES_MAX,
  type CodeLimits,
  listCode,
} from "../../../client/cli/code_list.ts";
import { sendCode } from "../../../client/cli/code_pack.ts";
import { loadSpec } from "../../../client/cli/spec_file.ts";
import { unpackTree } from "../../../shared/platform/tar_unpack.ts";
import type { SpecInput } from "../../../shared/protocol/spec.ts";
import { runAlone } from "./fake_terminal.ts";
import { FolderTransfer, inFolder, namesIn, writeTree } from "../files/rig.ts";

const LIMITS: CodeLimits = { bytes: CODE_BYTES_MAX, entries: CODE_ENTRIES_MAX };

/** The names of the files that travel, or why none does. */
async function listed(folder: string, limits = LIMITS): Promise<readonly string[] | string> {
  const list = await listCode(folder, limits);
  if (!list.ok) return list.message;
  return list.tooMuch ?? list.entries.filter(({ type }) => type !== "folder").map(({ name }) => name);
}

/** A spec in a folder, sent. */
async function sent(
  folder: string,
  spec: string,
  transfer: FolderTransfer = new FolderTransfer(`${folder}/..`),
): Promise<{ readonly spec: SpecInput; readonly notes: readonly string[] }> {
  await Deno.writeTextFile(`${folder}/spec.yaml`, SPEC + spec);
  const loaded = await loadSpec(`${folder}/spec.yaml`);
  if (!loaded.ok) throw new Error(loaded.problems.join("\n"));
  const notes: string[] = [];
  return { spec: await sendCode(loaded, LIMITS, transfer, (note) => notes.push(note)), notes };
}

const SPEC = `name: s
space: { kind: parameters, parameters: { x: { type: real, min: 0, max: 1 } } }
budget: { trials: 1 }
`;

function withCode(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test(name, () =>
    inFolder(async (outer) => {
      await Deno.mkdir(`${outer}/code`);
      await body(`${outer}/code`);
    }));
}

withCode("a token in the spec's own folder does not travel, and is named", async (folder) => {
  const token = `espalier_worker_${"aB3-_".repeat(8)}`;
  const files = {
    "train.py": "",
    "tokens.json": "{}",
    "token_ids.json": "[1]",
    "worker.token": `${token}\n`,
  };
  await writeTree(folder, files);
  assert.match(
    String(await listed(folder)),
    /worker\.token holds a token of Espalier.*move it out of the folder, or name it in \.espalierignore/,
  );
  await Deno.writeTextFile(`${folder}/.espalierignore`, "*.token\n");
  assert.deepEqual(await listed(folder), ["token_ids.json", "tokens.json", "train.py"]);
  await Deno.writeTextFile(`${folder}/tokens.json`, JSON.stringify({ worker: token }));
  assert.match(String(await listed(folder)), /tokens\.json holds a token/);
});

withCode("what no trial needs and what holds tokens stays at home", async (folder) => {
  await writeTree(folder, {
    "train.py": "",
    "lib/a.py": "",
    ".git/config": "",
    "node_modules/x/index.js": "",
    "lib/__pycache__/a.pyc": "",
    ".venv/bin/python": "",
    "env/pyvenv.cfg": "",
    "espalier-data/tokens.json": "secret",
    "w1/worker-id": "",
    "w1/attempts/x": "",
  });
  assert.deepEqual(await listed(folder), ["lib/a.py", "train.py"]);
});

withCode(".espalierignore leaves out more and takes back, as a .gitignore does", async (folder) => {
  await writeTree(folder, {
    ".espalierignore": "# data\n/data/*\n!/data/small.csv\n*.log\n!node_modules\n",
    "data/small.csv": "",
    "data/large.csv": "",
    "deep/data/x": "",
    "deep/x.log": "",
    "node_modules/x.js": "",
    "train.py": "",
  });
  assert.deepEqual(await listed(folder), ["data/small.csv", "deep/data/x", "node_modules/x.js", "train.py"]);
});

withCode("a folder that is too large is refused with what is largest in it", async (folder) => {
  await writeTree(folder, {
    "data/a": "x".repeat(3_000),
    "data/b": "x".repeat(2_000),
    "big.pt": "x".repeat(4_000),
    c: "",
  });
  const message = await listed(folder, { bytes: 5_000, entries: 100 });
  assert.match(
    String(message),
    /9\.0 kB in 5 files.*data\/ \(5\.0 kB, 3 entries\), big\.pt \(4\.0 kB\), c \(0 B\)/,
  );
  assert.match(String(message), /\.espalierignore.*--code-limit.*code: local/);
  assert.match(String(await listed(folder, { bytes: 50_000, entries: 4 })), /in 4\. Most is in data\//);
});

withCode("links stay links within the folder, and one that leads out is named", async (folder) => {
  await writeTree(folder, { "a/x": "X", "b": "->a/x", "a/up": "->../b" });
  assert.deepEqual(await listed(folder), ["a/up", "a/x", "b"]);
  await Deno.symlink("/etc/hostname", `${folder}/out`);
  const message = String(await listed(folder));
  assert.match(message, /out is a link to \/etc\/hostname, which is not within the folder/);
  await Deno.writeTextFile(`${folder}/.espalierignore`, "out\n");
  assert.deepEqual(await listed(folder), ["a/up", "a/x", "b"]);
});

withCode("what cannot travel at all is named, and no error of the system", async (folder) => {
  await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
  assert.match(String(await listed(folder)), /pipe is neither a file, a folder nor a link/);
  await Deno.remove(`${folder}/pipe`);
  const script = `touch "$(printf 'caf\\351.txt')"`;
  await new Deno.Command("sh", { args: ["-c", script], cwd: folder }).output();
  assert.match(String(await listed(folder)), /caf.\.txt has a name that is no UTF-8: rename it/);
  assert.match(String(await listed(`${folder}/nothing`)), /nothing cannot be read to its end/);
});

const EVALUATORS: readonly (readonly [string, unknown])[] = [
  ["evaluator: { kind: module, path: ./lib/e.ts }", { kind: "module", path: "lib/e.ts" }],
  ["evaluator: { kind: python, path: e.py, interpreter: ./py }", {
    kind: "python",
    path: "e.py",
    interpreter: "./py",
  }],
  ['evaluator: { kind: command, command: "./train.sh {x}" }', {
    kind: "command",
    command: ["./train.sh", "{x}"],
    folder: ".",
  }],
  ["evaluator: { kind: command, command: ../train.sh, folder: lib }", {
    kind: "command",
    command: ["../train.sh"],
    folder: "lib",
  }],
  ["evaluator: { kind: command, command: python3 x.py }", {
    kind: "command",
    command: ["python3", "x.py"],
    folder: ".",
  }],
];

withCode(
  "an evaluator's paths travel relative to the spec's folder, and so does all of the folder",
  async (folder) => {
    const transfer = new FolderTransfer(`${folder}/..`);
    await writeTree(folder, { "lib/e.ts": "", "e.py": "", "py": "", "train.sh": "#!/bin/sh\n" });
    for (const [written, expected] of EVALUATORS) {
      const { spec, notes } = await sent(folder, written, transfer);
      assert.deepEqual(JSON.parse(JSON.stringify(spec.evaluator)), expected);
      const { sha256 = "" } = spec.codeArtifact ?? {};
      const out = await Deno.makeTempDir({ dir: `${folder}/..` });
      await unpackTree(transfer.pathOf(sha256), out);
      assert.deepEqual(await namesIn(out), ["e.py", "lib", "lib/e.ts", "py", "spec.yaml", "train.sh"]);
      assert.equal(((await Deno.stat(`${out}/train.sh`)).mode ?? 0) & 0o111, 0o111);
      assert.match(notes.join(), /5 files of .* go to the workers/);
    }
  },
);

withCode(
  "a folder has one hash wherever and whenever it is packed, and another after an edit",
  async (folder) => {
    const evaluator = "evaluator: { kind: python, path: e.py }";
    const hashOf = async (at: string) => (await sent(at, evaluator)).spec.codeArtifact?.sha256;
    await writeTree(folder, { "e.py": "1", "z/a": "", "a/z": "" });
    await Deno.chmod(`${folder}/a/z`, 0o600);
    const hash = await hashOf(folder);
    const other = `${folder}/../other`;
    await writeTree(other, { "a/z": "", "z/a": "", "e.py": "1" });
    await Deno.utime(`${other}/e.py`, 1, 1);
    assert.equal(await hashOf(other), hash);
    await Deno.writeTextFile(`${other}/e.py`, "2");
    assert.notEqual(await hashOf(other), hash);
  },
);

withCode("code that is local, or part of the worker, does not travel", async (folder) => {
  await writeTree(folder, { "e.py": "" });
  const local = await sent(folder, "evaluator: { kind: python, path: e.py }\ncode: local");
  assert.equal(local.spec.codeArtifact, undefined);
  assert.deepEqual(local.spec.evaluator, { kind: "python", path: `${await Deno.realPath(folder)}/e.py` });
  const builtin = await sent(folder, "evaluator: { kind: builtin, name: noop }");
  assert.equal(builtin.spec.codeArtifact, undefined);
});

const MISTAKES: readonly (readonly [string, string, RegExp])[] = [
  [
    "an evaluator outside of the folder",
    "{ kind: python, path: ../e.py }",
    /evaluator\.path: .*\/e\.py is outside of the spec's folder .*move it there, or write "code: local"/,
  ],
  [
    "an evaluator that is left out",
    "{ kind: python, path: node_modules/e.py }",
    /evaluator\.path: node_modules\/e\.py does not travel.*--list-code/,
  ],
  [
    "a folder outside of the folder",
    "{ kind: command, command: ls, folder: .. }",
    /evaluator\.folder: .* is outside of the spec's folder/,
  ],
  [
    "a program that is left out",
    "{ kind: command, command: .venv/bin/python x.py }",
    /evaluator\.command: \.venv\/bin\/python does not travel.*without a path/,
  ],
  [
    "an interpreter that is left out",
    "{ kind: python, path: e.py, interpreter: .venv/bin/python }",
    /evaluator\.interpreter: \.venv\/bin\/python does not travel/,
  ],
];

for (const [what, evaluator, message] of MISTAKES) {
  withCode(`${what} is a mistake that is told before anything is sent`, async (folder) => {
    await writeTree(folder, { "e.py": "", "node_modules/e.py": "", ".venv/bin/python": "", "../e.py": "" });
    await assert.rejects(sent(folder, `evaluator: ${evaluator}`), message);
  });
}

withCode("run --list-code lists what would travel, with sizes, and needs no master", async (folder) => {
  await writeTree(folder, { "e.py": "12345", "lib/x.py": "1", ".git/x": "" });
  await Deno.writeTextFile(`${folder}/spec.yaml`, `${SPEC}evaluator: { kind: python, path: e.py }`);
  const run = (...more: readonly string[]) =>
    runAlone(["run", `${folder}/spec.yaml`, "--list-code", ...more]);
  const { out, code } = await run("--output", "json");
  assert.equal(code, 0);
  const { files } = JSON.parse(out);
  assert.deepEqual(files.map(({ name }: { name: string }) => name), ["e.py", "lib/x.py", "spec.yaml"]);
  assert.deepEqual(files[0], { name: "e.py", bytes: 5 });
  assert.match((await run()).out, /^FILE +SIZE\ne\.py +5 B\n/);
  const tooMuch = await run("--code-limit", "100", "--output", "quiet");
  assert.equal(tooMuch.code, 2);
  assert.match(tooMuch.out, /e\.py\nlib\/x\.py/);
  assert.match(tooMuch.notes, /to the workers may travel 100 B/);
});
