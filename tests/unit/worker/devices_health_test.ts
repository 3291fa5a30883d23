import { deepEqual, equal, match } from "node:assert/strict";
import { DeviceHealth, SILENCE_FORGIVEN_MS, WELL_IN_A_ROW } from "../../../worker/devices/health.ts";
import type { SeenGpu } from "../../../worker/devices/nvidia_table.ts";

const device = (id: string, uuid: string, busId: string) => ({ id, uuid, busId });
const DEVICES = [
  device("GPU-a", "GPU-a", "00000000:01:00.0"),
  device("MIG-1", "GPU-b", "00000000:02:00.0"),
  device("MIG-2", "GPU-b", "00000000:02:00.0"),
];
const seen = (uuid: string, trouble?: string): SeenGpu => ({
  gpu: {
    index: 0,
    uuid,
    name: "",
    memoryBytes: null,
    usedBytes: null,
    utilizationPercent: null,
    temperatureCelsius: null,
  },
  busId: "",
  trouble,
});
const WELL = [seen("GPU-a"), seen("GPU-b")];
const outOf = (health: DeviceHealth) => health.out().map(({ id }) => id);

Deno.test("a device is out at the first bad word, and in again after several good ones in a row", () => {
  const health = new DeviceHealth(DEVICES, 0);
  health.answered([seen("GPU-a", "it requires reset"), seen("GPU-b")], [], 1);
  deepEqual(health.out(), [{ id: "GPU-a", reason: "it requires reset" }]);
  for (let time = 1; time < WELL_IN_A_ROW; time++) health.answered(WELL, [], 2);
  deepEqual(outOf(health), ["GPU-a"]);
  health.answered([seen("GPU-a", "again"), seen("GPU-b")], [], 3);
  for (let time = 1; time < WELL_IN_A_ROW; time++) health.answered(WELL, [], 4);
  deepEqual(health.out(), [{ id: "GPU-a", reason: "again" }], "the count began anew");
  health.answered(WELL, [], 5);
  deepEqual(health.out(), []);
});

Deno.test("a device that is not listed any more is out, with all of its slices", () => {
  const health = new DeviceHealth(DEVICES, 0);
  health.answered([seen("GPU-a")], [], 1);
  const reason = "nvidia-smi does not list it any more";
  deepEqual(health.out(), [{ id: "MIG-1", reason }, { id: "MIG-2", reason }]);
});

Deno.test("a slice that was dissolved is out, and no other", () => {
  const health = new DeviceHealth(DEVICES, 0);
  health.answered(WELL, [], 1, new Set(["MIG-1"]));
  deepEqual(outOf(health), ["MIG-2"]);
  for (let time = 0; time < WELL_IN_A_ROW; time++) health.answered(WELL, [], 2, new Set(["MIG-1", "MIG-2"]));
  deepEqual(outOf(health), []);
});

Deno.test("a device that cannot be reached is out, by its place on the bus", () => {
  const health = new DeviceHealth(DEVICES, 0);
  health.answered([seen("GPU-b")], [{ busId: "0000:01:00.0", reason: "GPU is lost" }], 1);
  deepEqual(health.out(), [{ id: "GPU-a", reason: "GPU is lost" }]);
});

Deno.test("a silent tool is forgiven for a while, then nothing is known of any device", () => {
  const health = new DeviceHealth(DEVICES, 0);
  health.silent("it hangs", SILENCE_FORGIVEN_MS + 1);
  health.silent("it hangs", SILENCE_FORGIVEN_MS + 2);
  deepEqual(health.out(), [], "one that was asked twice may only be slow");
  health.silent("it hangs", SILENCE_FORGIVEN_MS + 3);
  equal(health.out().length, 3);
  match(health.out()[0]?.reason ?? "", /^nothing was heard of it for over 1m: it hangs$/);
  for (let time = 0; time < WELL_IN_A_ROW; time++) health.answered(WELL, [], SILENCE_FORGIVEN_MS + 4);
  deepEqual(health.out(), []);
});

Deno.test("failures in quick succession are forgiven as long as a slow one is", () => {
  const health = new DeviceHealth(DEVICES, 0);
  for (let ms = 0; ms < SILENCE_FORGIVEN_MS; ms += 1_000) health.silent("it ended with code 9", ms);
  deepEqual(health.out(), []);
});

Deno.test("one that was out before the tool fell silent keeps its own reason", () => {
  const health = new DeviceHealth(DEVICES, 0);
  health.answered([seen("GPU-a", "lost"), seen("GPU-b")], [], 0);
  for (let time = 0; time < 3; time++) health.silent("it hangs", SILENCE_FORGIVEN_MS * 2);
  deepEqual(health.out().map(({ reason }) => reason === "lost"), [true, false, false]);
});
