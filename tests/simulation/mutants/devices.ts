/**
 * Faults of GPUs: how they are counted, given out, brought back and taken out of service.
 *
 * @module
 */
import type { SourceMutant } from "./named_mutant.ts";
import { type Adjust, all, longAttempts, muchWork, rates, workload } from "./plans.ts";

const BOOKS = "shared/model/device_books.ts";
const WORKER_RECORD = "master/cluster/worker_record.ts";

/** Three workers of two GPUs, and tasks of which most need some. */
const gpus: Adjust = all(
  (plan) => ({
    ...plan,
    workers: Array.from({ length: 3 }, () => ({ slots: 4, cpus: 4, gpus: 2 })),
  }),
  workload({ gpuNeeds: [0.25, 0.5, 1, 2] }),
  muchWork,
  longAttempts,
);

/** What becomes of GPUs. */
export const DEVICE_MUTANTS: readonly SourceMutant[] = [
  {
    name: "devices_not_given_back",
    fault: "the master does not take a GPU back when its attempt has ended",
    file: WORKER_RECORD,
    find: "if (devices.length > 0) this.devices.books.giveBack(devices, need);",
    replace: "",
    caughtBy: ["cluster_sane", "liveness"],
    adjust: gpus,
  },
  {
    name: "shares_make_more_than_one",
    fault: "a share of a GPU counts half of what it is",
    file: BOOKS,
    find: "Math.max(1, Math.round(gpus * PARTS))",
    replace: "Math.max(1, Math.round(gpus * PARTS / 2))",
    caughtBy: ["devices_overcommitted"],
    adjust: gpus,
  },
  {
    name: "whole_device_beside_a_share",
    fault: "a whole GPU counts as one of which half is free",
    file: BOOKS,
    find: "return gpus >= 1 ? PARTS :",
    replace: "return gpus >= 1 ? PARTS / 2 :",
    caughtBy: ["devices_overcommitted"],
    adjust: gpus,
  },
  {
    name: "devices_forgotten_at_registration",
    fault: "whoever registers again has all its GPUs free, whatever runs there",
    file: WORKER_RECORD,
    find: "this.devices.books.draw(devices, task.group.template.resources);",
    replace: "void [task, devices];",
    caughtBy: ["cluster_sane", "devices_overcommitted"],
    adjust: all(gpus, rates({ reset: 10, partition: 4 })),
  },
  {
    name: "devices_of_returned_leases_forgotten",
    fault: "a restarted master does not ask which GPUs the attempts have that go on",
    file: "master/cluster/returns.ts",
    find: "if (present !== undefined && devices !== undefined) worker.holdsOn(present, devices);",
    replace: "",
    caughtBy: ["devices_overcommitted"],
    adjust: all(gpus, rates({ masterKill: 6 })),
  },
  {
    name: "out_of_service_ignored",
    fault: "what a worker says of GPUs that are out of service is not heard",
    file: "master/cluster/results.ts",
    find: "worker.devices.heard(envelope.devicesOut ?? []);",
    replace: "worker.devices.heard([]);",
    caughtBy: ["devices_overcommitted"],
    adjust: all(gpus, rates({ gpuOut: 10 })),
  },
  {
    name: "worker_chooses_its_own_devices",
    fault: "a worker runs an attempt on other GPUs than those that its lease was given",
    file: "worker/slots_devices.ts",
    find: "const ids = user.devices ?? this.#books.choose(need);",
    replace: "const ids = this.#books.choose(need) ?? user.devices;",
    caughtBy: ["devices_overcommitted"],
    adjust: gpus,
  },
];
