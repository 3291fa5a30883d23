/**
 * Which devices are out of service, from what their tool says of them again and again.
 *
 * Promise: a device is out at the first bad word of it, since an attempt that is placed on it is likely lost, and in again
 * only after several good ones in a row. What runs on it is never touched: whether it still works is the evaluator's to find.
 * A tool that is silent says nothing of its devices for a while, since it may only be slow. After that they are out: a driver
 * that does not answer its own tool seldom answers programs, and what is placed on it would hang until its deadline.
 *
 * @module
 */
import type { DeviceTrouble } from "../../shared/model/devices.ts";
import { formatDuration } from "../../shared/protocol/duration.ts";
import { isSameBus, type SeenGpu } from "./nvidia_table.ts";

/** So many good words in a row bring a device back. */
export const WELL_IN_A_ROW = 3;
/** A silence is forgiven for so long, and for so many questions. */
export const SILENCE_FORGIVEN_MS = 60_000;
const SILENCE_FORGIVEN_TIMES = 3;

/** A device that is handed out, and the one that the tool speaks of: another where it is a slice. */
export interface WatchedDevice {
  readonly id: string;
  readonly uuid: string;
  readonly busId: string;
}

/** A device that the tool cannot reach, by its place on the bus. */
export interface Unreachable {
  readonly busId: string;
  readonly reason: string;
}

interface State {
  readonly device: WatchedDevice;
  /** Why it is out; undefined where it is in service. */
  reason: string | undefined;
  wellInARow: number;
}

/** The health of a worker's devices. */
export class DeviceHealth {
  readonly #states: readonly State[];
  #answeredMs: number;
  #silentTimes = 0;

  /** @param nowMs monotonic, as in all calls */
  constructor(devices: readonly WatchedDevice[], nowMs: number) {
    this.#states = devices.map((device) => ({ device, reason: undefined, wellInARow: 0 }));
    this.#answeredMs = nowMs;
  }

  /**
   * The tool has answered: devices that it does not list are gone.
   *
   * @param slices those that it lists; undefined where it was not asked, or did not say
   */
  answered(
    seen: readonly SeenGpu[],
    unreachable: readonly Unreachable[],
    nowMs: number,
    slices?: ReadonlySet<string>,
  ): void {
    this.#answeredMs = nowMs;
    this.#silentTimes = 0;
    for (const state of this.#states) note(state, troubleOf(state.device, seen, unreachable, slices));
  }

  /** The tool has not answered. */
  silent(why: string, nowMs: number): void {
    this.#silentTimes += 1;
    const silentMs = nowMs - this.#answeredMs;
    if (silentMs < SILENCE_FORGIVEN_MS || this.#silentTimes < SILENCE_FORGIVEN_TIMES) return;
    const reason = `nothing was heard of it for over ${formatDuration(SILENCE_FORGIVEN_MS)}: ${why}`;
    for (const state of this.#states) note(state, state.reason ?? reason);
  }

  /** Those that are out of service. */
  out(): readonly DeviceTrouble[] {
    return this.#states.flatMap(({ device: { id }, reason }) =>
      // As long as a fact about a machine may be.
      reason === undefined ? [] : [{ id, reason: reason.slice(0, 256) }]
    );
  }
}

function troubleOf(
  { id, uuid, busId }: WatchedDevice,
  seen: readonly SeenGpu[],
  unreachable: readonly Unreachable[],
  slices: ReadonlySet<string> | undefined,
): string | undefined {
  const lost = unreachable.find((each) => isSameBus(each.busId, busId));
  if (lost !== undefined) return lost.reason;
  const found = seen.find(({ gpu }) => gpu.uuid === uuid);
  const isGone = found === undefined || (id !== uuid && slices?.has(id) === false);
  return isGone ? "nvidia-smi does not list it any more" : found.trouble;
}

function note(state: State, trouble: string | undefined): void {
  if (trouble !== undefined) {
    state.reason = trouble;
    state.wellInARow = 0;
    return;
  }
  if (state.reason === undefined) return;
  state.wellInARow += 1;
  if (state.wellInARow >= WELL_IN_A_ROW) state.reason = undefined;
}
