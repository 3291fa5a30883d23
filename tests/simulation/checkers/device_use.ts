/**
 * GPUs as evaluators really use them.
 *
 * Watches: no GPU is used beyond itself, nor a whole one by two, by the evaluators of one process; each has the ones that
 * its lease was given; what is given out is free and in service, as far as the master can know.
 *
 * @module
 */
import type { Ref } from "../../../shared/actor/actor.ts";
import type { Resources } from "../../../shared/model/resources.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import type { Assign, ToWorker } from "../../../shared/protocol/worker_envelopes.ts";
import type { ClusterCore } from "../../../master/cluster/core.ts";
import type { ClusterMessage } from "../../../master/cluster/messages.ts";
import type { Findings } from "../findings.ts";
import type { SimulatedProcess } from "../process.ts";
import type { ClusterMemory } from "./cluster_tap.ts";

/** Ten tenths are one. */
const ROUNDING = 1e-6;

/** What an evaluator has of its worker's GPUs. */
export interface DeviceUser {
  readonly key: string;
  readonly process: SimulatedProcess;
  readonly devices: readonly string[];
  readonly need: Pick<Resources, "gpus" | "gpuMemoryBytes">;
}

/** Holds an evaluator that begins against those that run in its process. @param assigned what its lease was given */
export function checkDevices(
  findings: Findings,
  begun: DeviceUser,
  running: Iterable<DeviceUser>,
  assigned: readonly string[] | undefined,
): void {
  const { key, process, devices, need } = begun;
  if (need.gpus === 0 && devices.length === 0) return;
  const expect = (holds: boolean, message: () => string) =>
    findings.expect("devices_overcommitted", holds, message);
  expect(
    devices.length === Math.ceil(need.gpus) && new Set(devices).size === devices.length,
    () => `${key} needs ${need.gpus} GPUs and has ${devices}`,
  );
  expect(
    assigned === undefined || assigned.join() === devices.join(),
    () => `${key} was given ${assigned} and has ${devices}`,
  );
  const others = [...running].filter((each) => each.process === process && each.key !== key);
  for (const device of devices) {
    const message = overuse(device, begun, others);
    expect(message === undefined, () => `${process.node}: ${message}`);
  }
}

/** In words, where one more is too much for a GPU. */
function overuse(device: string, added: Omit<DeviceUser, "process">, others: readonly DeviceUser[]) {
  const users = [added, ...others.filter(({ devices }) => devices.includes(device))];
  const shares = users.reduce((sum, { need }) => sum + Math.min(1, need.gpus), 0);
  if (shares <= 1 + ROUNDING) return undefined;
  return `${shares} of ${device} is used, by ${users.map(({ key, need }) => `${key} (${need.gpus})`)}`;
}

/** What one life of the cluster gives out of GPUs. */
export class DeviceWatch {
  readonly #core: ClusterCore;
  readonly #memory: ClusterMemory;
  /** What each session said is out of service, when it said so last. */
  readonly #out = new Map<number, ReadonlySet<string>>();

  constructor(core: ClusterCore, memory: ClusterMemory) {
    this.#core = core;
    this.#memory = memory;
    const say = core.say.bind(core);
    core.say = (session, envelope) => {
      if (session !== undefined) this.#says(session, envelope);
      say(session, envelope);
    };
  }

  /** The cluster is about to hear this. */
  hears(message: ClusterMessage): void {
    if (message.type !== "worker_said" || !this.#core.sessions.has(message.session.id)) return;
    for (const envelope of message.envelopes) {
      if (envelope.type !== "heartbeat") continue;
      this.#out.set(message.session.id, new Set(envelope.devicesOut?.map(({ id }) => id)));
    }
  }

  #says(session: Ref<never>, envelope: ToWorker): void {
    if (envelope.type !== "assign") return;
    const need = this.#core.tasks.get(envelope.task)?.group.template.resources;
    this.#memory.executions().assigned.set(leaseKey(envelope), envelope.devices ?? []);
    if (need !== undefined && need.gpus > 0) this.#gives(session, envelope, need);
  }

  #gives(session: Ref<never>, assign: Assign, need: Resources): void {
    const { findings, executions } = this.#memory;
    const { devices = [] } = assign;
    const worker = this.#core.sessions.get(session.id);
    const key = leaseKey(assign);
    // Another process of this name has GPUs of its own.
    const running = [...executions().live].filter(({ process }) => process.node === worker?.facts?.hostname);
    for (const device of devices) {
      const message = overuse(device, { key, devices, need }, running);
      findings.expect("devices_overcommitted", message === undefined, () => `given out: ${message}`);
      findings.expect(
        "devices_overcommitted",
        this.#out.get(session.id)?.has(device) !== true,
        () => `${key} is given ${device} of ${worker?.id}, which is out of service`,
      );
    }
  }
}
