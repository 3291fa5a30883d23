import assert from "node:assert/strict";

const SCRIPT = new URL("../../scripts/bench_search.ts", import.meta.url).pathname;

async function bench(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", SCRIPT, ...args],
    // Without the published table, wherever this runs.
    env: { ESPALIER_NASBENCH201: "", NO_COLOR: "1" },
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test("bench:search measures every optimizer on the twin, says that it is one, and repeats itself", async () => {
  const args = ["--seeds", "2", "--trials", "10", "--workers", "3", "--output", "json"];
  const [one, two] = await Promise.all([bench(...args), bench(...args)]);
  assert.equal(one.code, 0, one.stderr);
  assert.match(one.stderr, /its synthetic twin stands in/);
  const [report] = JSON.parse(one.stdout), [again] = JSON.parse(two.stdout);
  assert.deepEqual([report.space, report.seeds, report.trials, report.workers], [
    "nasbench201 (synthetic twin)",
    2,
    10,
    3,
  ]);
  const names = report.rows.map(({ optimizer }: { optimizer: string }) => optimizer);
  assert.equal(names[0], "random");
  assert.ok(names.includes("genetic"));
  assert.ok(report.rows.every(({ runs }: { runs: unknown[] }) => runs.length === 2));
  const ofRuns = (rows: readonly { runs: unknown }[]) => rows.map(({ runs }) => runs);
  assert.deepEqual(ofRuns(again.rows), ofRuns(report.rows));
});

Deno.test("an optimizer may have options, and what cannot be meant is told", async () => {
  const small = ["--space", "mixed", "--seeds", "1", "--trials", "5"];
  const given = await bench(...small, "--optimizer", "{kind: genetic, population: 4}");
  assert.equal(given.code, 0, given.stderr);
  assert.match(given.stdout, /^mixed: .*\noptimizer .*\nrandom .*\n\{kind: genetic, population: 4\} /);
  const wrong = [["--optimizer", "{kind: genetic, population: 1}"], ["--optimizer", "best"], [
    "--space",
    "x",
  ]];
  for (const args of wrong) {
    const { code, stderr } = await bench(...small, ...args);
    assert.equal(code, 2);
    assert.match(stderr, /^error: (--optimizer|there is no space)/);
  }
});
