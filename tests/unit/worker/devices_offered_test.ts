import { deepEqual, equal, match } from "node:assert/strict";
import type { SeenGpu } from "../../../worker/devices/nvidia_table.ts";
import { labelsOf } from "../../../worker/devices/labels.ts";
import { parseGpuList } from "../../../worker/devices/nvidia_list.ts";
import { foundDevices, namedDevices, visibleDevices } from "../../../worker/devices/offered.ts";

const LIST = Deno.readTextFileSync(
  new URL("../../fixtures/nvidia_smi/list_mig_some.txt", import.meta.url),
);
const LISTED = parseGpuList(LIST);
const SEEN: readonly SeenGpu[] = LISTED.map(({ index, uuid, name }) => ({
  gpu: {
    index,
    uuid,
    name,
    memoryBytes: 80 * 2 ** 30,
    usedBytes: 0,
    utilizationPercent: null,
    temperatureCelsius: 30,
  },
  busId: `00000000:0${index}:00.0`,
  trouble: undefined,
}));
const FOUND = foundDevices(SEEN, LISTED);

const idsOf = (found: readonly { readonly id: string }[] | string) =>
  typeof found === "string" ? found : found.map(({ id }) => id.slice(0, 8));
const SLICES = ["MIG-ce86", "MIG-a458", "MIG-f00d", "MIG-9305"];

Deno.test("a GPU with slices is handed out by them, with the memory that their names say", () => {
  deepEqual(idsOf(FOUND), [...SLICES, "GPU-d859", "GPU-5e37", "GPU-69ec"]);
  deepEqual(FOUND.map(({ memoryBytes }) => memoryBytes).slice(3, 5), [20e9, 80 * 2 ** 30]);
  equal(FOUND[0]?.name, "NVIDIA A100-SXM4-80GB MIG 1g.20gb");
});

Deno.test("devices are named by index, uuid or the beginning of one, each counted once", () => {
  deepEqual(idsOf(namedDevices(FOUND, ["3", "1", "GPU-d8594bd4-0fc3"])), ["GPU-d859", "GPU-69ec"]);
  deepEqual(idsOf(namedDevices(FOUND, ["0"])), SLICES);
  deepEqual(idsOf(namedDevices(FOUND, ["MIG-f00d722c"])), ["MIG-f00d"]);
  deepEqual(idsOf(namedDevices(FOUND, ["GPU-513536b6-7d19-9063-b049-1e69664bb298"])), SLICES);
});

Deno.test("a name that means nothing, or two devices, is an error that lists what is there", () => {
  match(
    String(namedDevices(FOUND, ["7"])),
    /^there is no GPU 7 that this worker may use; nvidia-smi lists 0 \(MIG-ce86/,
  );
  match(String(namedDevices(FOUND, ["GPU-"])), /there is no GPU GPU-/);
  match(String(namedDevices(FOUND, ["0x1"])), /there is no GPU 0x1/);
  match(String(namedDevices([], ["0"])), /nvidia-smi lists none/);
});

Deno.test("CUDA_VISIBLE_DEVICES leaves what CUDA would leave", () => {
  const visible = (variable: string | undefined) => idsOf(visibleDevices(FOUND, variable));
  equal(visible(undefined).length, 7);
  deepEqual(visible("2,1"), ["GPU-d859", "GPU-5e37"]);
  deepEqual(visible("1,9,2"), ["GPU-d859"], "what stands behind a wrong name is not visible");
  deepEqual(visible(""), []);
  deepEqual(visible("-1"), []);
  deepEqual(visible("NoDevFiles"), []);
  deepEqual(visible("MIG-930574a9-d43a-5d2b-95da-3e68384c8d6b"), ["MIG-9305"]);
});

Deno.test("a worker labels itself with its machine and each word of its devices' names", () => {
  const facts = { hostname: "Node 07.example.org", os: "linux", arch: "x86_64" };
  const labels = labelsOf(facts, [{ name: "NVIDIA A100-SXM4-80GB MIG 1g.20gb" }], ["room=b2"]);
  deepEqual(labels, [
    "room=b2",
    "os=linux",
    "arch=x86_64",
    "host=node07.example.org",
    "gpu=nvidia",
    "gpu=a100-sxm4-80gb",
    "gpu=a100",
    "gpu=sxm4",
    "gpu=80gb",
    "gpu=mig",
    "gpu=1g.20gb",
  ]);
  deepEqual(labelsOf({ ...facts, hostname: "…" }, [], []), ["os=linux", "arch=x86_64"]);
});
