import assert from "node:assert/strict";
import { join } from "node:path";
import { runAlone } from "./fake_terminal.ts";

const VERBS = [
  "master",
  "worker",
  "run",
  "submit",
  "wait",
  "experiments",
  "show",
  "best",
  "trials",
  "cancel",
  "pause",
  "resume",
  "workers",
  "stop",
  "backup",
  "export",
  "artifacts",
  "fetch",
  "explain",
  "tokens",
];

/** Verbs that ask a master, with what they need. */
const ASKING: readonly (readonly string[])[] = [
  ["submit", "--", "true"],
  ["wait"],
  ["experiments"],
  ["show"],
  ["best"],
  ["trials"],
  ["cancel", "x"],
  ["pause", "x"],
  ["resume", "x"],
  ["workers"],
  ["stop", "x"],
  ["backup", "x"],
  ["export"],
  ["artifacts", "x/1"],
  ["fetch", "x/1"],
  ["explain", "x/1"],
];

async function inFolder(look: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await look(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("help names every verb and is a success", async () => {
  const { code, out } = await runAlone(["--help"]);
  assert.equal(code, 0);
  for (const verb of VERBS) assert.match(out, new RegExp(`^  ${verb} `, "m"));
});

for (const verb of VERBS) {
  Deno.test(`${verb} --help is a success and names --output`, async () => {
    const { code, out } = await runAlone([verb, "--help"]);
    assert.equal(code, 0);
    assert.match(out, /--output <form>/);
  });

  Deno.test(`${verb} with an unknown option is wrong usage and says which`, async () => {
    const { code, out, notes } = await runAlone([verb, "--wrong"]);
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.match(notes, /unknown option '--wrong'/);
  });

  Deno.test(`${verb} with an unknown form of output is wrong usage and names the forms`, async () => {
    const { code, notes } = await runAlone([verb, "--output", "xml"]);
    assert.equal(code, 2);
    assert.match(notes, /table, json, quiet/);
  });
}

Deno.test("an unknown verb is wrong usage and is told the one that was meant", async () => {
  const { code, notes } = await runAlone(["experimets"]);
  assert.equal(code, 2);
  assert.match(notes, /Did you mean experiments\?/);
});

Deno.test("a verb without its argument is wrong usage", async () => {
  for (const verb of ["run", "cancel", "pause", "resume", "stop", "backup", "explain"]) {
    const { code, notes } = await runAlone([verb]);
    assert.equal(code, 2, verb);
    assert.match(notes, /missing required argument/);
  }
});

for (const args of ASKING) {
  Deno.test(`${args.join(" ")} where no master runs says how to start one`, () =>
    inFolder(async (folder) => {
      const { code, out, notes } = await runAlone([...args, "--data", folder]);
      assert.equal(code, 2);
      assert.equal(out, "");
      assert.match(notes, /no master runs in .*espalier master --data/);
    }));
}

Deno.test("numbers and durations out of bounds are wrong usage", async () => {
  const wrong = [
    ["master", "--port", "70000"],
    ["master", "--heartbeat", "soon"],
    ["master", "--prefetch", "-1"],
    ["master", "--unused-artifacts", "0s"],
    ["worker", "--slots", "0"],
    ["run", "spec.yaml", "--workers", "many"],
    ["stop", "master", "--grace", "5 parsecs"],
    ["experiments", "--limit", "0"],
    ["worker", "--master", ""],
  ];
  for (const args of wrong) {
    const { code, notes } = await runAlone(args);
    assert.equal(code, 2, args.join(" "));
    assert.match(notes, /invalid/);
  }
});

Deno.test("half of a certificate is wrong usage, and one that is not there a failure", () =>
  inFolder(async (folder) => {
    const half = await runAlone(["master", "--data", folder, "--tls-cert", "cert.pem"]);
    assert.equal(half.code, 2);
    assert.match(half.notes, /give both/);
    const gone = join(folder, "none.pem");
    const missing = await runAlone(["master", "--data", folder, "--tls-cert", gone, "--tls-key", gone]);
    assert.equal(missing.code, 1);
    assert.match(missing.notes, /none\.pem cannot be read/);
  }));

Deno.test("run tells every mistake of a spec and starts nothing", () =>
  inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    await Deno.writeTextFile(spec, "name: a b\nspace: { kind: cnn, classes: 10 }\nbugdet: { trials: 1 }\n");
    const { code, out, notes } = await runAlone(["run", spec, "--data", folder]);
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.match(notes, /spec\.yaml:1: name: /);
    assert.match(notes, /spec\.yaml:3: bugdet: there is no such key; did you mean "budget"\?/);
  }));

Deno.test("run with a master and with workers of its own is wrong usage", () =>
  inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    await Deno.writeTextFile(spec, "name: a\nspace: { kind: cnn, classes: 10 }\nbudget: { trials: 1 }\n");
    const { code, notes } = await runAlone(["run", spec, "--master", "127.0.0.1:1", "--workers", "2"]);
    assert.equal(code, 2);
    assert.match(notes, /without a master/);
    const detached = await runAlone(["run", spec, "--data", folder, "--detach"]);
    assert.equal(detached.code, 2);
    assert.match(detached.notes, /--detach needs a master/);
  }));

Deno.test("the environment names the data folder, and a flag goes before it", () =>
  inFolder(async (folder) => {
    const fromEnvironment = await runAlone(["show"], { ESPALIER_DATA: folder });
    assert.match(fromEnvironment.notes, new RegExp(`no master runs in ${folder};`));
    const other = join(folder, "other");
    const fromFlag = await runAlone(["show", "--data", other], {
      ESPALIER_DATA: folder,
      ESPALIER_MASTER: "127.0.0.1:1",
    });
    assert.match(fromFlag.notes, new RegExp(`no master runs in ${other};`));
  }));

Deno.test("an address that is none is wrong usage", async () => {
  const { code, notes } = await runAlone(["show", "--master", "ftp://x"], { ESPALIER_TOKEN: "t" });
  assert.equal(code, 2);
  assert.match(notes, /no address of a master/);
});

Deno.test("a master that is named without any token says where tokens are", () =>
  inFolder(async (folder) => {
    const { code, notes } = await runAlone(["show", "--master", "127.0.0.1:1", "--data", folder]);
    assert.equal(code, 2);
    assert.match(notes, /ESPALIER_TOKEN or give --token-file/);
  }));

Deno.test("a token that the master does not know is a failure, told at once", async () => {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response("", { status: 401 }),
  );
  const args = ["show", "--master", `127.0.0.1:${server.addr.port}`];
  const { code, notes } = await runAlone(args, { ESPALIER_TOKEN: "t" });
  await server.shutdown();
  assert.equal(code, 1);
  assert.match(notes, /does not accept this token/);
});
