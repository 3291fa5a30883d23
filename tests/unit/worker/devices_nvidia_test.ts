/** What nvidia-smi says, of several generations of drivers: tests/fixtures/nvidia_smi names where each is from. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { parseGpuList } from "../../../worker/devices/nvidia_list.ts";
import { isSameBus, parseGpuTable, unreachable } from "../../../worker/devices/nvidia_table.ts";

const FIXTURES = new URL("../../fixtures/nvidia_smi/", import.meta.url);
const MIB = 1024 * 1024;

const textOf = (name: string) => Deno.readTextFileSync(new URL(name, FIXTURES));
const tableOf = (name: string, columns?: string) => parseGpuTable(textOf(name), columns?.split(","));
const measured = (name: string, columns?: string) =>
  tableOf(name, columns).map((
    { gpu: { memoryBytes, usedBytes, utilizationPercent, temperatureCelsius } },
  ) => [
    memoryBytes === null ? null : memoryBytes / MIB,
    usedBytes === null ? null : usedBytes / MIB,
    utilizationPercent,
    temperatureCelsius,
  ]);

Deno.test("devices are read from the tool's table", () => {
  deepEqual(tableOf("made_up/two_devices.csv")[0], {
    gpu: {
      index: 0,
      uuid: "GPU-00000000-0000-0000-0000-000000000001",
      name: "NVIDIA A100-SXM4-80GB",
      memoryBytes: 81920 * MIB,
      usedBytes: 1024 * MIB,
      utilizationPercent: 37,
      temperatureCelsius: 41,
    },
    busId: "00000000:07:00.0",
    trouble: undefined,
  });
  equal(tableOf("made_up/two_devices.csv").length, 2);
});

Deno.test("the columns are where the tool's first line says", () => {
  deepEqual(measured("table_460.csv"), [[5934, 682, 20, 36]]);
  deepEqual(measured("table_gb10_named.csv"), [[null, null, null, null]]);
  equal(tableOf("table_gb10_named.csv")[0]?.gpu.name, "NVIDIA GB10");
});

Deno.test("a table without its first line is read by the columns that were asked for", () => {
  const columns =
    "power.limit,power.min_limit,power.max_limit,memory.total,vbios_version,driver_version,name," +
    "gpu_uuid,power.draw,temperature.gpu,temperature.memory,clocks.current.graphics,clocks.sm,clocks.mem," +
    "utilization.gpu,utilization.memory,fan.speed,pcie.link.width.current,pstate";
  const [seen] = tableOf("table_440.csv", columns);
  equal(seen?.gpu.uuid, "GPU-22b2c6ac-2d49-4863-197c-9c469071178a");
  deepEqual(measured("table_440.csv", columns), [[7979, null, 86, 45]]);
});

Deno.test("what a device does not tell is null and no trouble, in the words of any generation", () => {
  const fan =
    "memory.total,memory.free,memory.used,temperature.gpu,fan.speed,utilization.gpu,utilization.memory";
  const gtx =
    "name,utilization.gpu,utilization.memory,temperature.gpu,power.draw,power.limit,fan.speed,pstate," +
    "clocks.current.graphics,clocks.current.memory,power.max_limit,power.default_limit";
  deepEqual(measured("table_gtx_770.csv", gtx), [[null, null, null, 52]]);
  deepEqual(measured("table_410.csv"), [[null, null, null, null]]);
  deepEqual(measured("table_fan_440.csv", fan), [[2004, 0, 0, 44]]);
  deepEqual(measured("made_up/missing_fields.csv"), [
    [2002, 231, null, 52],
    [81559, 12, null, 33],
    [null, null, null, null],
  ]);
  const all = [
    ...tableOf("table_gtx_770.csv", gtx),
    ...tableOf("table_fan_440.csv", fan),
    ...tableOf("made_up/missing_fields.csv"),
    ...tableOf("table_gb10_named.csv"),
  ];
  deepEqual(all.filter(({ trouble }) => trouble !== undefined), []);
});

Deno.test("a device whose memory is the machine's tells the rest", () => {
  deepEqual(measured("table_gb10_580.csv"), [[null, null, 0, 35]]);
});

Deno.test("a field that says that a device is not well is its trouble, in the driver's words", () => {
  deepEqual(tableOf("made_up/troubles.csv").map(({ trouble }) => trouble), [
    undefined,
    'nvidia-smi says "[GPU requires reset]" of its utilization.gpu',
    'nvidia-smi says "[GPU is lost]" of its memory.total',
    'nvidia-smi says "[Unknown Error]" of its utilization.gpu',
    'nvidia-smi says "ERR!" of its temperature.gpu',
  ]);
});

Deno.test("units and lines of another form do no harm", () => {
  deepEqual(measured("made_up/with_units.csv"), [[15360, 105, 8, 44]]);
  deepEqual(tableOf("made_up/noise.csv").map(({ gpu: { index, name } }) => [index, name]), [[
    1,
    "Quadro, with a comma",
  ]]);
  deepEqual(parseGpuTable(""), []);
  deepEqual(parseGpuTable("\u0000\ufffd,,,,,,,,,\n".repeat(100)), []);
});

Deno.test("a device that the tool cannot reach is known by its place on the bus", () => {
  const reached = (name: string) => unreachable(textOf(name));
  const words = "nvidia-smi cannot reach it: ";
  const lost = `${words}GPU is lost. Reboot the system to recover this GPU`;
  deepEqual(reached("error_lost.txt"), [{ busId: "0000:02:00.0", reason: lost }]);
  deepEqual(reached("error_lost_369.txt"), [{ busId: "0000:03:00.0", reason: lost }]);
  deepEqual(reached("error_unknown.txt"), [{ busId: "0000:0B:00.0", reason: `${words}Unknown Error` }]);
  deepEqual(reached("error_unknown_2024.txt"), [{ busId: "0000:07:00.0", reason: `${words}Unknown Error` }]);
  deepEqual(reached("error_mismatch_570.txt"), []);
  ok(isSameBus("0000:0B:00.0", "00000000:0b:00.0"));
  ok(!isSameBus("0000:0B:00.0", "00000001:0B:00.0"));
  ok(!isSameBus("", ""));
});

Deno.test("the list tells devices of all generations, and their slices", () => {
  deepEqual(parseGpuList(textOf("list_410.txt")), [{
    index: 0,
    name: "GeForce GT 710",
    uuid: "",
    slices: [],
  }]);
  equal(parseGpuList(textOf("list_430.txt"))[0]?.uuid, "GPU-e18afb8d-1627-f8ff-2ba3-c05c5a8e9e67");
  const [old] = parseGpuList(textOf("list_mig_460.txt"));
  deepEqual(old?.slices.map(({ id, profile, memoryBytes }) => [id.slice(-4), profile, memoryBytes]), [
    ["/2/0", "4g.20gb", 20e9],
    ["/3/0", "2g.10gb", 10e9],
    ["/9/0", "1g.5gb", 5e9],
  ]);
  equal(parseGpuList(textOf("list_mig_535.txt"))[0]?.slices.length, 7);
  deepEqual(parseGpuList(textOf("list_mig_some.txt")).map(({ slices }) => slices.length), [4, 0, 0, 0]);
  deepEqual(parseGpuList("  MIG 1g.10gb Device 0: (UUID: MIG-lonely)\nNo devices found.\n"), []);
  equal(
    parseGpuList("GPU 0: H200 (UUID: GPU-1)\n  MIG 1g.18gb+me  Device  0: (UUID: MIG-2)")[0]?.slices[0]
      ?.memoryBytes,
    18e9,
  );
});
