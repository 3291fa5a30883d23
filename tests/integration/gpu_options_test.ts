/**
 * What a worker offers and for how long, as its user says on the command line.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { WorkerLive } from "../../client/mod.ts";
import { withFakeSmi } from "../fixtures/nvidia_smi/fake_smi.ts";
import { CliProcess, type CliResult } from "./cli_process.ts";
import { type Fleet, withFleet } from "./fleet/fleet.ts";
import { has, untilShown } from "./fleet/live.ts";
import { tableOf, uuidOf } from "./gpu_worker.ts";

const WELCOMED = /connected to the master at ws:/;

withFleet("a worker offers the GPUs, cores, memory and labels that its user names", async (fleet) => {
  await fleet.master();
  const client = await fleet.client();
  await withFakeSmi({ table: tableOf("w", 0, 1, 2) }, async ({ folder }) => {
    const env = { PATH: `${folder}:${Deno.env.get("PATH") ?? ""}`, CUDA_VISIBLE_DEVICES: "1,2" };
    const offer = ["--cpus", "1.5", "--memory", "2GiB", "--label", "room=b2", "--label", "gpu=mine"];
    const some = start(fleet, "some", [...offer, "--gpus", `${uuidOf("w", 2)}`], env);
    const none = start(fleet, "none", ["--gpus", "none"], env);
    const rocm = start(fleet, "rocm", ["--gpus", "0,1", "--gpu-kind", "rocm"], env);
    const wrong = start(fleet, "wrong", ["--gpus", "0"], env);
    const { code, notes } = await wrong.finished();
    equal(code, 1);
    match(
      notes,
      /--gpus: there is no GPU 0 that this worker may use; nvidia-smi lists 1 \(GPU-w-1\), 2 \(GPU-w-2\)/,
    );
    await Promise.all([some, none, rocm].map((worker) => worker.line(WELCOMED)));
    const workers = await client.workers();
    const with_ = (label: string) => workers.find(({ labels }) => labels.includes(label));
    deepEqual(devicesOf(with_("room=b2")), [uuidOf("w", 2)]);
    for (const label of ["gpu=mine", "gpu=a100", `os=${Deno.build.os}`, `arch=${Deno.build.arch}`]) {
      ok(with_("room=b2")?.labels.includes(label), label);
    }
    deepEqual(workers.map((worker) => devicesOf(worker).join()).sort(), ["", "0,1", uuidOf("w", 2)]);
    const big = await client.submit({
      name: "big",
      evaluator: { kind: "builtin", name: "noop" },
      inputs: [{}],
      resources: { memoryBytes: 2 ** 50, labels: ["room=b2"] },
    });
    match((await client.explain(`${big.groups[0]}/1`)).explanation, /2(\.0)? GiB|2(\.1)? GB/);
    await Promise.all([some, none, rocm].map((worker) => worker.stop()));
  });
});

withFleet("a worker leaves before its time is over, and hands back what runs", async (fleet) => {
  await fleet.master();
  const client = await fleet.client();
  const startedMs = performance.now();
  const worker = start(fleet, "short", ["--time-limit", "4s", "--grace", "500ms", "--slots", "2"]);
  await worker.line(WELCOMED);
  const nap = (ms: number, minTimeMs: number) =>
    client.submit({
      name: "nap",
      evaluator: { kind: "builtin", name: "sleep" },
      inputs: [{ ms }],
      minTimeMs,
    });
  const [short, long, never] = await Promise.all([nap(100, 100), nap(60_000, 0), nap(1, 3_600_000)]);
  const { code, notes } = await worker.finished();
  ok(performance.now() - startedMs < 4_500, "it was there for longer than it said");
  equal(code, 0, notes);
  match(notes, /leaving: its time limit is near/);
  equal((await short.wait()).completed, 1);
  match((await client.explain(`${never.groups[0]}/1`)).explanation, /pending|no worker|waits/i);
  const next = fleet.worker("next");
  await untilShown(client, ({ topic, value }) => topic === "worker" && has(value, "running", 1));
  await Promise.all([long.cancel(), never.cancel()]);
  deepEqual((await long.wait()).cancelled, 1);
  await next.kill();
});

withFleet("a worker leaves when nothing was to do for long", async (fleet) => {
  await fleet.master();
  const worker = start(fleet, "idle", ["--idle-timeout", "300ms"]);
  const { code, notes } = await worker.finished();
  equal(code, 0, notes);
  match(notes, /leaving: nothing was to do for 300ms/);
});

Deno.test("what makes no sense is wrong usage", async () => {
  const results = await Promise.all(
    [["--gpus", "a b"], ["--gpu-kind", "rocm"], ["--memory", "much"], ["--label", "x"], [
      "--time-limit",
      "0s",
    ]]
      .map((args) => new CliProcess(["worker", "--master", "http://127.0.0.1:1", ...args]).finished()),
  );
  deepEqual(results.map(({ code }: CliResult) => code), [2, 2, 2, 2, 2]);
});

function start(
  fleet: Fleet,
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): CliProcess {
  Deno.writeTextFileSync(`${fleet.folder}/token`, fleet.token("worker"), { mode: 0o600 });
  const where = ["--master", fleet.url, "--token-file", `${fleet.folder}/token`];
  return new CliProcess(["worker", ...where, "--data", `${fleet.folder}/${name}`, ...args], { env });
}

function devicesOf(worker: WorkerLive | undefined): readonly string[] {
  return worker?.devices.map(({ id }) => id) ?? [];
}
