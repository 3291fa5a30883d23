/**
 * The machine's NVIDIA devices, asked of `nvidia-smi`.
 *
 * Promise: on a machine without them the answer is an empty list, at no cost after the first time; a tool that hangs is
 * killed and left alone for a while.
 *
 * @module
 */
import type { Gpu } from "../../shared/protocol/worker_envelopes.ts";

/** Columns, in this order. */
const QUERY = "index,uuid,name,memory.total,memory.used,utilization.gpu,temperature.gpu";
/** `nounits` leaves numbers: memory in MiB, the rest as it is. */
const ARGUMENTS = [`--query-gpu=${QUERY}`, "--format=csv,noheader,nounits"];
/** A healthy driver answers within 0.1 s, a cold one within 2 s; a broken one may never. */
const TIMEOUT_MS = 5_000;
/** How long a killed tool has to be gone. */
const LEAVE_BEHIND_MS = 1_000;
/** A tool that failed is not asked again before this has passed. */
const RETRY_AFTER_MS = 10 * 60_000;
const MIB = 1024 * 1024;

/** Asks for devices, again and again. */
export class NvidiaSmi {
  readonly #program: string;
  readonly #timeoutMs: number;
  #askAgainAtMs = 0;

  /** @param program the tool's name or path */
  constructor(program = "nvidia-smi", timeoutMs = TIMEOUT_MS) {
    this.#program = program;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * The devices now; empty where there are none or the tool does not say. Never rejects.
   *
   * @param signal gives up
   */
  async read(signal?: AbortSignal): Promise<Gpu[]> {
    if (performance.now() < this.#askAgainAtMs) return [];
    const said = await this.#ask(signal);
    if (said.type === "text") return parseGpus(said.text);
    this.#askAgainAtMs = said.type === "absent" ? Infinity : performance.now() + RETRY_AFTER_MS;
    return [];
  }

  async #ask(signal?: AbortSignal): Promise<Said> {
    let tool: Deno.ChildProcess;
    try {
      tool = new Deno.Command(this.#program, {
        args: ARGUMENTS,
        stdin: "null",
        stdout: "piped",
        stderr: "null",
        detached: true,
      }).spawn();
    } catch (error) {
      return { type: error instanceof Deno.errors.NotFound ? "absent" : "failed" };
    }
    const said = tool.output().then(({ success, stdout }): Said =>
      success ? { type: "text", text: new TextDecoder().decode(stdout) } : { type: "failed" }
    );
    const gaveUp = Promise.withResolvers<Said>();
    let timer = setTimeout(giveUp, this.#timeoutMs);
    signal?.addEventListener("abort", giveUp);
    function giveUp() {
      clearTimeout(timer);
      killGroup(tool.pid);
      // What the kernel holds on to cannot even be killed: it is left behind.
      timer = setTimeout(() => gaveUp.resolve({ type: "failed" }), LEAVE_BEHIND_MS);
    }
    try {
      return await Promise.race([said, gaveUp.promise]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
    }
  }
}

type Said = { readonly type: "text"; readonly text: string } | { readonly type: "absent" | "failed" };

/** The tool and what it may have started: a wrapper script is common. */
function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself just now.
  }
}

/**
 * Devices from the tool's lines. A line of another form is passed over.
 *
 * Fields that a device has not are `N/A`, `[N/A]`, `[Not Supported]`, `[Unknown Error]` and the like: all that is no
 * number is null.
 */
export function parseGpus(text: string): Gpu[] {
  return text.split("\n").map(parseGpu).filter((gpu) => gpu !== undefined);
}

function parseGpu(line: string): Gpu | undefined {
  const fields = line.split(",").map((field) => field.trim());
  // A name may hold a comma: what is counted from the end stays right.
  const [index = "", uuid = ""] = fields;
  const [memory, used, busy, celsius] = fields.slice(-4).map(numberOf);
  const name = fields.slice(2, -4).join(", ");
  if (!/^\d+$/.test(index) || uuid === "" || name === "") return undefined;
  return {
    index: Number(index),
    uuid,
    name,
    memoryBytes: bytesOf(memory),
    usedBytes: bytesOf(used),
    utilizationPercent: busy ?? null,
    temperatureCelsius: celsius ?? null,
  };
}

/** Number of a field; a unit behind it is passed over, since old tools ignore `nounits` in places. */
function numberOf(field: string): number | null {
  const digits = /^-?\d+(\.\d+)?(?=$| )/.exec(field)?.[0];
  return digits === undefined ? null : Number(digits);
}

function bytesOf(mib: number | null | undefined): number | null {
  return mib === null || mib === undefined ? null : mib * MIB;
}
