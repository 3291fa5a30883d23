/**
 * The questions that `nvidia-smi` is asked, and what its answers come to.
 *
 * @module
 */
import type { Unreachable } from "./health.ts";
import { type ListedGpu, parseGpuList } from "./nvidia_list.ts";
import {
  isSameBus,
  NVIDIA_COLUMNS,
  parseGpuTable,
  saysNoDevices,
  type SeenGpu,
  unreachable,
} from "./nvidia_table.ts";
import { type Said, Tool } from "./tool.ts";

/** A healthy driver answers within 0.1 s, a cold one of eight devices within 10 s; a broken one may never. */
const ANSWER_WITHIN_MS = 15_000;
/** Devices of a machine, where they have to be asked for by their indexes. */
const ONE_BY_ONE_MAX = 32;

const TABLE = [`--query-gpu=${NVIDIA_COLUMNS.join(",")}`, "--format=csv,nounits"];
/** Asked by itself: drivers before 450 do not know this column, and refuse the whole question. */
const MIG_MODES = ["--query-gpu=uuid,mig.mode.current", "--format=csv,noheader"];

/** What the tool says of all devices. */
export type Table =
  | { readonly type: "seen"; readonly seen: readonly SeenGpu[]; readonly lost: readonly Unreachable[] }
  | { readonly type: "silent"; readonly why: string }
  | { readonly type: "absent" };

/** A device that was found before. */
export interface KnownGpu {
  readonly uuid: string;
  readonly busId: string;
}

/** The tool. Nothing here rejects. */
export class NvidiaSmi {
  /** How long its answers took since this was last set to 0, and whether it hung in that time. */
  tookMs = 0;
  hasHung = false;
  readonly #tool: Tool;

  constructor(program = "nvidia-smi", answerWithinMs = ANSWER_WITHIN_MS) {
    this.#tool = new Tool(program, answerWithinMs);
  }

  /**
   * All devices. Where the tool cannot reach one it shows none of the others: these are asked for by name then.
   *
   * @param known those that were found before; empty where nothing was
   * @param signal gives up
   */
  async table(known: readonly KnownGpu[], signal: AbortSignal): Promise<Table> {
    const said = await this.#ask(TABLE, signal);
    if (said.type === "absent") return { type: "absent" };
    if (said.type === "hung") return { type: "silent", why: said.why };
    const lost = unreachable(said.text);
    if (said.type === "text" || saysNoDevices(said.text)) {
      return { type: "seen", seen: parseGpuTable(said.text), lost };
    }
    if (lost.length === 0) return { type: "silent", why: said.why };
    if (known.length === 0) return { type: "seen", seen: await this.#oneByOne(signal), lost };
    const others = known.filter(({ busId }) => !lost.some((each) => isSameBus(each.busId, busId)));
    if (others.length === 0) return { type: "seen", seen: [], lost };
    const uuids = new Set(others.map(({ uuid }) => uuid));
    const again = await this.#ask(["-i", [...uuids].join(","), ...TABLE], signal);
    if (again.type === "text") return { type: "seen", seen: parseGpuTable(again.text), lost };
    return { type: "silent", why: again.type === "absent" ? "nvidia-smi is gone" : again.why };
  }

  /** Devices and their slices; undefined where the tool does not say. */
  async list(signal: AbortSignal): Promise<readonly ListedGpu[] | undefined> {
    const said = await this.#ask(["-L"], signal);
    return said.type === "text" ? parseGpuList(said.text) : undefined;
  }

  /** Devices in MIG mode: without slices they run nothing. */
  async inMigMode(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const said = await this.#ask(MIG_MODES, signal);
    const lines = said.type === "text" ? said.text.matchAll(/^(\S+), Enabled\s*$/gm) : [];
    return new Set([...lines].map(([, uuid = ""]) => uuid));
  }

  /** Where one cannot be reached and the others are not known yet. */
  async #oneByOne(signal: AbortSignal): Promise<readonly SeenGpu[]> {
    const seen: SeenGpu[] = [];
    for (let index = 0; index < ONE_BY_ONE_MAX; index++) {
      const said = await this.#ask(["-i", String(index), ...TABLE], signal);
      if (said.type === "text") seen.push(...parseGpuTable(said.text));
      else if (said.type !== "failed" || unreachable(said.text).length === 0) break;
    }
    return seen;
  }

  async #ask(args: readonly string[], signal: AbortSignal): Promise<Said> {
    const said = await this.#tool.ask(args, signal);
    if (said.type !== "absent") this.tookMs += said.tookMs;
    if (said.type === "hung") this.hasHung = true;
    return said;
  }
}
