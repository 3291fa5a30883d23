import { deepEqual } from "node:assert/strict";
import type { Device, DeviceKind } from "../../../shared/model/devices.ts";
import { deviceEnvironment } from "../../../worker/devices/environment.ts";

const device = (id: string, kind: DeviceKind = "cuda"): Device => ({ id, kind, name: "", memoryBytes: null });

Deno.test("a program sees its own devices", () => {
  deepEqual(deviceEnvironment([device("GPU-a"), device("MIG-b")]), {
    CUDA_VISIBLE_DEVICES: "GPU-a,MIG-b",
    ESPALIER_GPUS: "GPU-a,MIG-b",
  });
  deepEqual(deviceEnvironment([device("GPU-c", "rocm")]), {
    ROCR_VISIBLE_DEVICES: "GPU-c",
    ESPALIER_GPUS: "GPU-c",
  });
});

Deno.test("indexes mean the same to CUDA as to nvidia-smi", () => {
  deepEqual(deviceEnvironment([device("1")]), {
    CUDA_VISIBLE_DEVICES: "1",
    CUDA_DEVICE_ORDER: "PCI_BUS_ID",
    ESPALIER_GPUS: "1",
  });
});

Deno.test("without devices of its own a program sees none of the worker's", () => {
  deepEqual(deviceEnvironment([]), { CUDA_VISIBLE_DEVICES: "", ROCR_VISIBLE_DEVICES: "", ESPALIER_GPUS: "" });
});

Deno.test("where a worker has no devices a program's environment says nothing of them", () => {
  deepEqual(deviceEnvironment(undefined), {});
});
