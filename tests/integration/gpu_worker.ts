/**
 * Workers with GPUs as a user starts them, where `nvidia-smi` is a program that says what a test wants.
 *
 * @module
 */
import { type FakeSmi, withFakeSmi } from "../fixtures/nvidia_smi/fake_smi.ts";
import { groupsOf } from "./fleet/child_groups.ts";
import { untilGone } from "../conformance/executor_processes.ts";
import { CliProcess } from "./cli_process.ts";
import type { Fleet } from "./fleet/fleet.ts";

const HEADER =
  "index, uuid, pci.bus_id, name, memory.total [MiB], memory.used [MiB], utilization.gpu [%], temperature.gpu";

/** The uuid of a worker's GPU. */
export function uuidOf(worker: string, index: number): string {
  return `GPU-${worker}-${index}`;
}

/** What the tool of a worker says where it has these GPUs. */
export function tableOf(worker: string, ...indexes: readonly number[]): string {
  const rows = indexes.map((index) =>
    `${index}, ${uuidOf(worker, index)}, 00000000:0${index}:00.0, NVIDIA A100-SXM4-40GB, 40960, 0, 0, 30`
  );
  return [HEADER, ...rows].join("\n");
}

/** A worker with two GPUs, one process after the other. */
export class GpuWorker {
  readonly name: string;
  readonly #fake: FakeSmi;
  readonly #fleet: Fleet;
  readonly #slots: number;
  #process: CliProcess | undefined;

  constructor(name: string, fake: FakeSmi, fleet: Fleet, slots: number) {
    this.name = name;
    this.#fake = fake;
    this.#fleet = fleet;
    this.#slots = slots;
  }

  /** From now on its tool lists these. */
  has(...indexes: readonly number[]): Promise<void> {
    return this.#fake.says({ table: tableOf(this.name, ...indexes) });
  }

  /** Starts it, and waits until a master has welcomed it. */
  async start(): Promise<void> {
    const { folder, url } = this.#fleet;
    await Deno.writeTextFile(`${folder}/token`, this.#fleet.token("worker"), { mode: 0o600 });
    const where = ["--master", url, "--token-file", `${folder}/token`, "--data", `${folder}/${this.name}`];
    const args = [
      "worker",
      ...where,
      "--slots",
      String(this.#slots),
      "--gpu-interval",
      "20ms",
      "--grace",
      "0s",
    ];
    const path = `${this.#fake.folder}:${Deno.env.get("PATH") ?? ""}`;
    // Where the tests themselves run within a few of a machine's GPUs.
    this.#process = new CliProcess(args, { env: { PATH: path, CUDA_VISIBLE_DEVICES: "0,1" } });
    await this.#process.line(/connected to the master at ws:/);
  }

  /** SIGKILL; comes back when nothing of what it ran is alive. */
  async kill(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    // Stopped first: what it would still start is not missed.
    process.signal("SIGSTOP");
    const groups = groupsOf(process.pid);
    process.signal("SIGKILL");
    await process.finished();
    const left = await untilGone(groups, 5_000);
    if (left.length > 0) throw new Error(`the groups ${left.join()} outlived ${this.name}`);
  }
}

/** Workers by their names, each with a tool of its own, that are killed at the end. */
export async function withGpuWorkers(
  fleet: Fleet,
  names: readonly string[],
  slots: number,
  body: (workers: readonly GpuWorker[]) => Promise<void>,
  before: readonly GpuWorker[] = [],
): Promise<void> {
  const [name, ...others] = names;
  if (name === undefined) {
    try {
      return await body(before);
    } finally {
      for (const worker of before) await worker.kill();
    }
  }
  await withFakeSmi({ table: tableOf(name, 0, 1) }, async (fake) => {
    const worker = new GpuWorker(name, fake, fleet, slots);
    await withGpuWorkers(fleet, others, slots, body, [...before, worker]);
  });
}
