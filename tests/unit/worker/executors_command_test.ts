import { deepEqual, equal, match, ok } from "node:assert/strict";
import { commandExecutor } from "../../../worker/executors/command/command.ts";
import { attemptOf, run } from "../../conformance/executor_attempts.ts";
import { failureOf, folderOf, withCommands } from "./executors_command_rig.ts";

withCommands(
  "lines that begin with the mark are reports, and the last of them is the result",
  async (rig) => {
    const { events, ended } = rig.script(`
    echo 'training [tune-metric]: {"no": 1}'
    printf '[tune-'; sleep 0.05; printf 'metric]: {"accuracy": 0.5}\\n'
    echo '[tune-metric]: {"accuracy": 0.75, "step": 7}'
    printf '[tune-metric]: {"accuracy": 1}'`);
    deepEqual(await ended, { state: "completed", metrics: { accuracy: 1 } });
    deepEqual(events.slice(0, -1), [
      { type: "report", step: 1, metrics: { accuracy: 0.5 } },
      { type: "report", step: 7, metrics: { accuracy: 0.75 } },
      { type: "report", step: 8, metrics: { accuracy: 1 } },
    ]);
  },
);

withCommands("a report that cannot be read is a warning and no failure", async (rig) => {
  const end = await rig.run(`
    echo '[tune-metric]: {"a": '
    echo '[tune-metric]: {"loss": NaN}'
    echo '[tune-metric]: {"loss": "low"}'
    echo '[tune-metric]: {"loss": 1, "step": -1}'
    echo '[tune-metric]: {"loss": 2}'`);
  deepEqual(end, { state: "completed", metrics: { loss: 2 } });
  equal(rig.warnings.length, 4);
  match(
    rig.warnings.join("\n"),
    /it is no JSON[\s\S]*"loss" is NaN[\s\S]*"loss" is a string[\s\S]*step is -1/,
  );
});

withCommands("result.json is the result where it exists", async (rig) => {
  const end = await rig.run(`echo '[tune-metric]: {"a": 1}'; echo '{"a": 2}' > "$ESPALIER_DIR/result.json"`);
  deepEqual(end, { state: "completed", metrics: { a: 2 } });
});

withCommands("the result is where the spec says", async (rig) => {
  const last = await rig.run(`echo '[tune-metric]: {"a": 1}'; echo '{"a": 3}'; echo; echo ' '`, {
    result: "last_line",
  });
  deepEqual(last, { state: "completed", metrics: { a: 3 } });
  const marked = await rig.run(`echo '[tune-metric]: {"a": 4, "step": 2}'`, { result: "last_line" });
  deepEqual(marked, { state: "completed", metrics: { a: 4 } });
  const code = await rig.run("echo nothing of interest", { result: "exit_code" });
  deepEqual(code, { state: "completed", metrics: { exitCode: 0 } });
  const file = await rig.run(`echo '{"a": 5}' > "$ESPALIER_DIR/result.json"`, { result: "file" });
  deepEqual(file, { state: "completed", metrics: { a: 5 } });
});

withCommands("metrics that are missing or wrong fail with what was expected", async (rig) => {
  const message = async (...given: Parameters<typeof rig.run>) => failureOf(await rig.run(...given)).message;
  match(await message("true"), /said no metrics: expected a line such as \[tune-metric\]/);
  match(
    await message("true", { result: "last_line" }),
    /printed nothing: .*expects a JSON object of metrics/,
  );
  match(await message("echo done", { result: "last_line" }), /last line has no metrics, it is no JSON: done/);
  match(await message(`echo '{"a": -Infinity}'`, { result: "last_line" }), /"a" is -Infinity/);
  match(await message("echo '[1]'", { result: "last_line" }), /it is an array; metrics are/);
  match(await message("true", { result: "file" }), /left no result\.json in its ESPALIER_DIR/);
  match(await message(`mkfifo "$ESPALIER_DIR/result.json"`), /result\.json is no file/);
  match(await message(`head -c 2000000 /dev/zero > "$ESPALIER_DIR/result.json"`), /has 2000000 bytes/);
});

withCommands(
  "a failure has the exit code or the signal, the last word, and what was printed",
  async (rig) => {
    const end = await rig.run("echo first >&2; echo 'ValueError: no such layer' >&2; exit 3");
    const { message, final } = failureOf(end);
    equal(message, "the command ended with exit code 3: ValueError: no such layer");
    equal(final, false);
    match(JSON.stringify(end), /Printed:\\nfirst\\nValueError.*test_1_1 on this worker's machine/);
    match(failureOf(await rig.run("kill -9 $$")).message, /ended by SIGKILL \(the machine may/);
    equal(failureOf(await rig.run("exit 78")).final, true);
  },
);

withCommands(
  "a program has its own environment, and nothing of the worker's but what is named",
  async (rig) => {
    Deno.env.set("ESPALIER_TOKEN", "secret");
    Deno.env.set("TEST_COMMAND_NAMED", "passed on");
    Deno.env.set("TEST_COMMAND_OTHER", "kept");
    try {
      await rig.run(`env > "$ESPALIER_DIR/env.txt"`, {
        env: ["TEST_COMMAND_NAMED", "X=1=2", "ESPALIER_TOKEN"],
      });
    } finally {
      for (const name of ["ESPALIER_TOKEN", "TEST_COMMAND_NAMED", "TEST_COMMAND_OTHER"]) {
        Deno.env.delete(
          name,
        );
      }
    }
    const lines = (await Deno.readTextFile(`${folderOf(rig)}/env.txt`)).trim().split("\n");
    const found = new Map(
      lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    const own = {
      EXPERIMENT: "test",
      TRIAL: "1",
      ATTEMPT: "1",
      DIR: folderOf(rig),
      CHECKPOINT: `${folderOf(rig)}/checkpoint`,
      SEED: "0",
      SLOT: "0",
    };
    for (const [name, value] of Object.entries(own)) equal(found.get(`ESPALIER_${name}`), value);
    match(found.get("ESPALIER_LEASE") ?? "", /^\/\S+ test\/1 1 \S+$/);
    equal(found.get("TEST_COMMAND_NAMED"), "passed on");
    equal(found.get("X"), "1=2");
    const known =
      /^(PATH|HOME|LANG|TMPDIR|TZ|PWD|OLDPWD|SHLVL|_|X|ESPALIER_LEASE|TEST_COMMAND_NAMED|(CUDA|ROCR|HIP|ROCM)_\w+)$/;
    const others = [...found.keys()].filter((name) => !known.test(name) && !(name.slice(9) in own));
    deepEqual(others, []);
  },
);

withCommands("an attempt's folder is its own, closed to others, with what it was given", async (rig) => {
  const candidate = { lr: 0.1, name: "ä 'b'" };
  await rig.run("echo out; echo err >&2; pwd > pwd.txt", {}, candidate);
  const folder = folderOf(rig);
  for (const path of [`${rig.folder}/attempts`, folder]) equal((await Deno.stat(path)).mode ?? 0, 0o40700);
  deepEqual(JSON.parse(await Deno.readTextFile(`${folder}/trial.json`)), {
    experiment: "test",
    trial: 1,
    attempt: 1,
    candidate,
    seed: 0,
  });
  equal(await Deno.readTextFile(`${folder}/stdout.txt`), "out\n");
  equal(await Deno.readTextFile(`${folder}/stderr.txt`), "err\n");
  equal((await Deno.readTextFile(`${folder}/pwd.txt`)).trim(), await Deno.realPath(folder));
});

withCommands("values reach the program as they are", async (rig) => {
  const value = `a  b'"$(touch ran)\`id\`;*\\n`;
  const command = [
    "printf",
    '%s|%s|[tune-metric]: {{"a": 1}}\\n[tune-metric]: {{"a": 1}}\\n',
    "{v}",
    "--x={v}",
  ];
  const sample = { evaluator: { kind: "command", command } as const, input: { candidate: { v: value } } };
  equal((await run(rig.executor, sample)).state, "completed");
  ok((await Deno.readTextFile(`${folderOf(rig)}/stdout.txt`)).startsWith(`${value}|--x=${value}|`));
});

withCommands("what cannot be started is a final failure that says how to mend it", async (rig) => {
  await Deno.writeTextFile(`${rig.folder}/plain.sh`, "echo hi\n", { mode: 0o644 });
  await Deno.writeTextFile(`${rig.folder}/odd.sh`, "#!/no/such/shell\n", { mode: 0o755 });
  const start = async (command: readonly string[], folder = rig.folder, candidate: unknown = {}) => {
    const evaluator = { kind: "command", command, folder } as const;
    const { message, final } = failureOf(await run(rig.executor, { evaluator, input: { candidate } }));
    ok(final, message);
    return message;
  };
  match(
    await start(["no-such-program"]),
    /no program "no-such-program" on this machine in PATH \(.*install it/,
  );
  match(
    await start(["./gone.sh"]),
    /no program .*\/gone\.sh on this machine: paths are relative to the folder/,
  );
  match(await start(["./plain.sh"]), /plain\.sh is not executable: chmod \+x it/);
  match(
    await start(["./odd.sh"]),
    /names \/no\/such\/shell as its interpreter, which is not on this machine/,
  );
  match(await start(["true"], `${rig.folder}/gone`), /no folder .*\/gone on this machine.* put it there/);
  match(await start(["true"], "here"), /folder here is not absolute/);
  match(await start(["echo", "{x}"], rig.folder, { x: "a\0b" }), /has a zero byte/);
  match(await start(["echo", "{x"]), /has a brace that belongs to no value/);
});

Deno.test("an executor without a folder of its own leaves none", async () => {
  const parent = await Deno.makeTempDir();
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", parent);
  try {
    const executor = commandExecutor();
    const evaluator = { kind: "command", command: ["true"], result: "exit_code" } as const;
    equal((await run(executor, { evaluator, input: { candidate: {} } })).state, "completed");
    equal([...Deno.readDirSync(parent)].length, 1);
    await executor.close();
    deepEqual([...Deno.readDirSync(parent)], []);
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
    await Deno.remove(parent, { recursive: true });
  }
});

withCommands("two attempts with one lease have two folders", async (rig) => {
  const evaluator = { kind: "command", command: ["true"], result: "exit_code" } as const;
  const attempt = attemptOf({ evaluator, input: { candidate: {} } });
  for (let copy = 0; copy < 2; copy += 1) {
    const { promise, resolve } = Promise.withResolvers<void>();
    rig.executor.start(attempt, () => resolve());
    await promise;
  }
  const names = Array.from(Deno.readDirSync(`${rig.folder}/attempts`), ({ name }) => name);
  deepEqual(names.toSorted(), ["test_1_1", "test_1_1_2"]);
});
