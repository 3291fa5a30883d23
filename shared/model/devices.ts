/**
 * Devices: the GPUs of a worker, each by its own name.
 *
 * @module
 */

/** What a device is asked for by: which variable tells a program of it. */
export const DEVICE_KINDS = ["cuda", "rocm"] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** A GPU, or a slice of one that is handed out by itself. */
export interface Device {
  /** As `CUDA_VISIBLE_DEVICES` takes it: a uuid (`GPU-…`, `MIG-…`), or an index. Unlike that of any other of the worker. */
  readonly id: string;
  readonly kind: DeviceKind;
  /** Such as `NVIDIA A100-SXM4-40GB`; empty where it is not known. */
  readonly name: string;
  /** Null where the driver does not say. */
  readonly memoryBytes: number | null;
}

/** A device that is not given to anyone. */
export interface DeviceTrouble {
  readonly id: string;
  /** Why. */
  readonly reason: string;
}

/** Devices of one worker. */
export const DEVICES_MAX = 256;
