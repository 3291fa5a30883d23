/**
 * Whose a GPU is that several workers offer: two workers on one machine, each of which found all of them.
 *
 * Promise: of workers that offer a GPU by the same uuid one is given attempts for it, the one that has some, else the one
 * that came first; for the others it is out of service, and says so. When the first has gone the next one has it.
 * Not here: GPUs that are named by their index, which say nothing of each other.
 *
 * @module
 */
import type { ClusterCore } from "./core.ts";
import type { WorkerRecord } from "./worker_record.ts";

/** Decides it anew. Called when a worker has come, and now and then for those that have gone. */
export function settleDeviceOwners(core: ClusterCore): void {
  const offering = [...core.workers.values()].filter(({ devices }) => devices.unique.length > 0);
  if (offering.length === 0) return;
  const owners = ownersOf(offering);
  for (const worker of offering) {
    const elsewhere = new Map<string, string>();
    for (const id of worker.devices.unique) {
      const owner = owners.get(id);
      if (owner !== undefined && owner !== worker) elsewhere.set(id, reasonFor(owner));
    }
    worker.devices.belongElsewhere(elsewhere);
  }
}

function ownersOf(workers: readonly WorkerRecord[]): ReadonlyMap<string, WorkerRecord> {
  const owners = new Map<string, WorkerRecord>();
  for (const worker of workers) {
    for (const id of worker.devices.unique) {
      const present = owners.get(id);
      if (present === undefined ? holds(worker, id) : takesOver(worker, present, id)) owners.set(id, worker);
    }
  }
  return owners;
}

function takesOver({ devices }: WorkerRecord, present: WorkerRecord, id: string): boolean {
  return devices.isUsed(id) && !present.devices.isUsed(id);
}

/** Whether it is there, or may still run something on it. */
function holds({ session, devices }: WorkerRecord, id: string): boolean {
  return session !== undefined || devices.isUsed(id);
}

function reasonFor({ id }: WorkerRecord): string {
  return `${id} offers it as well; let each worker offer its own (--gpus)`;
}
