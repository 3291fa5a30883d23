/**
 * How fast artifacts go to a master and come back, and how much memory that takes, beside plain streaming.
 *
 * Promise: all of them are processes of their own; the bytes are hashed at both ends and on the disk when they are counted.
 * The plain side moves the same bytes to the same disk in the same round, without any hash.
 *
 * @module
 */
import { median } from "./fleet.ts";
import type { Figure } from "./kernel.ts";

const BYTES = 1_000_000_000;
const ROUNDS = 5;
const ROLE = new URL("./artifacts_role.ts", import.meta.url).pathname;
const FLEET_ROLE = new URL("./role.ts", import.meta.url).pathname;

/** What one transfer said of itself, and what it added to the process that served it. */
interface Passed {
  readonly ms: number;
  readonly extraBytes: number;
  readonly servedExtraBytes: number;
  readonly sha256: string;
  readonly bytes: number;
}

/** 1 GB by PUT and by GET. */
export async function artifacts(): Promise<readonly Figure[]> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-bench-" });
  const puts: Passed[] = [], gets: Passed[] = [], plainPuts: Passed[] = [], plainGets: Passed[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await writeNoise(`${folder}/sent`);
      const { put, get } = await throughMaster(folder);
      puts.push(put);
      gets.push(get);
      const plain = await throughPlain(folder);
      plainPuts.push(plain.put);
      plainGets.push(plain.get);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return [figure("artifacts_put", puts, plainPuts), figure("artifacts_get", gets, plainGets)];
}

function figure(name: string, passed: readonly Passed[], plain: readonly Passed[]): Figure {
  const speed = (all: readonly Passed[]) => Math.round(median(all.map(({ ms }) => BYTES / ms / 1_000)));
  const extra = (bytes: readonly number[]) => (median(bytes) / 1_000_000).toFixed(0);
  return {
    name,
    value: speed(passed),
    unit: "MB/s",
    limit: speed(plain),
    detail: `median of ${ROUNDS} times 1 GB, hashed at both ends and durable; extra memory: master ` +
      `${extra(passed.map(({ servedExtraBytes }) => servedExtraBytes))} MB, client ` +
      `${
        extra(passed.map(({ extraBytes }) => extraBytes))
      } MB; limit: the same bytes without a hash, server ` +
      `${extra(plain.map(({ servedExtraBytes }) => servedExtraBytes))} MB, client ` +
      `${extra(plain.map(({ extraBytes }) => extraBytes))} MB`,
  };
}

async function throughMaster(folder: string): Promise<{ readonly put: Passed; readonly get: Passed }> {
  const data = `${folder}/master`;
  const put = await serving([FLEET_ROLE, "master", data, "0"], async (url, pid) => {
    const token = await workerToken(data);
    return await pass(pid, ["put", url, token, `${folder}/sent`]);
  });
  // Each in a master of its own: memory that the first left would hide what the second takes.
  const get = await serving([FLEET_ROLE, "master", data, "0"], async (url, pid) => {
    const token = await workerToken(data);
    return await pass(pid, ["get", url, token, `${folder}/got`, put.sha256, String(put.bytes)]);
  });
  await Deno.remove(data, { recursive: true });
  await Deno.remove(`${folder}/got`);
  return { put, get };
}

async function throughPlain(folder: string): Promise<{ readonly put: Passed; readonly get: Passed }> {
  const put = await serving(
    [ROLE, "plain", folder],
    (url, pid) => pass(pid, ["plain_put", url, `${folder}/sent`]),
  );
  const get = await serving(
    [ROLE, "plain", folder],
    (url, pid) => pass(pid, ["plain_get", url, `${folder}/got`]),
  );
  await Deno.remove(`${folder}/plain`);
  await Deno.remove(`${folder}/got`);
  return { put, get };
}

async function workerToken(data: string): Promise<string> {
  return JSON.parse(await Deno.readTextFile(`${data}/tokens.json`)).worker;
}

/** Starts a process that prints its address, and ends it after. */
async function serving<T>(
  line: readonly string[],
  work: (url: string, pid: number) => Promise<T>,
): Promise<T> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", ...line],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  try {
    const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value = "" } = await reader.read();
    const { url } = JSON.parse(value);
    await fetch(`${url}/health`).then((response) => response.text());
    const result = await work(url, process.pid);
    await reader.cancel();
    return result;
  } finally {
    await process.stdin.close();
    await process.status;
  }
}

/** Runs a client while the server's memory is watched. */
async function pass(serverPid: number, line: readonly string[]): Promise<Passed> {
  const before = residentBytes(serverPid);
  let most = before;
  const look = () => most = Math.max(most, residentBytes(serverPid));
  const timer = setInterval(look, 20);
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", ROLE, ...line],
    stderr: "inherit",
  }).output();
  clearInterval(timer);
  if (!success) throw new Error(`${line[0]} failed`);
  look();
  return { ...JSON.parse(new TextDecoder().decode(stdout)), servedExtraBytes: most - before };
}

function residentBytes(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s*(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
  return Number(kib) * 1_024;
}

/** Bytes that nothing on the way can make fewer of. */
async function writeNoise(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true, truncate: true });
  const block = new Uint8Array(65_536);
  crypto.getRandomValues(block);
  for (let left = BYTES; left > 0; left -= block.byteLength) {
    new DataView(block.buffer).setFloat64(0, Math.random());
    await file.write(block.subarray(0, Math.min(left, block.byteLength)));
  }
}

if (import.meta.main) { for (const each of await artifacts()) console.log(each); }
