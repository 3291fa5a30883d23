/**
 * What a Python harness is asked: one attempt as one line.
 *
 * @module
 */
import { SEED_DEFAULT } from "../input.ts";
import { taskParts } from "../../../shared/model/ids.ts";
import type { TaskInput } from "../../../shared/model/task.ts";
import { type Refusal, refusal } from "../command/command_start.ts";
import type { Attempt } from "../executor.ts";
import { FRAME_BYTES_MAX } from "../module/harness/frame.ts";

/** What the worker gives to an attempt. */
export interface RequestPlace {
  /** Marks the answers to it. */
  readonly id: number;
  /** The attempt's own. */
  readonly folder: string;
  /** What the names of its snapshots begin with. */
  readonly snapshots: string;
}

/** The line, or why there can be none. */
export function requestLine(
  { lease, slot, restored }: Attempt,
  input: TaskInput,
  { id, folder, snapshots }: RequestPlace,
): Uint8Array<ArrayBuffer> | Refusal {
  const { group: experiment, number: trial } = taskParts(lease.task);
  const { candidate, architecture, seed = SEED_DEFAULT } = input;
  const environment = {
    ESPALIER_EXPERIMENT: experiment,
    ESPALIER_TRIAL: String(trial),
    ESPALIER_ATTEMPT: String(lease.attempt),
    ESPALIER_DIR: folder,
    ESPALIER_SEED: String(seed),
    ESPALIER_SLOT: String(slot),
  };
  const request = {
    id,
    candidate,
    architecture,
    seed,
    folder,
    slot,
    trial,
    attempt: lease.attempt,
    restored: restored ?? null,
    snapshots,
    environment,
  };
  const line = new TextEncoder().encode(`${JSON.stringify(request)}\n`);
  if (line.length <= FRAME_BYTES_MAX) return line;
  return refusal(
    `the candidate and its architecture take ${line.length} bytes as JSON; they may take ${FRAME_BYTES_MAX}`,
  );
}
