/**
 * Which processes are alive, as `/proc` tells.
 *
 * @module
 */

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

/** All processes that have not ended. */
function processes(): ProcessRow[] {
  const rows = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    const row = /^\d+$/.test(name) ? readRow(Number(name)) : undefined;
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

function readRow(pid: number): ProcessRow | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // After the name, which may hold anything: state, parent, group (proc(5)).
    const [state, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : { pid, parent: Number(parent), group: Number(group) };
  } catch {
    // It ended while the folder was read.
    return undefined;
  }
}

/** The process groups that children of this process lead. */
export function childGroups(): Set<number> {
  const rows = processes().filter(({ pid, parent, group }) => parent === Deno.pid && pid === group);
  return new Set(rows.map(({ group }) => group));
}

/** Resolves when no process of these groups is alive; the groups that still have one after `withinMs` otherwise. */
export function untilGone(groups: ReadonlySet<number>, withinMs = 1_000): Promise<number[]> {
  return poll(() => processes().filter(({ group }) => groups.has(group)).map(({ group }) => group), withinMs);
}

/** Orphans have no parent of ours that could be told of their end, so that one has to look. */
async function poll(alive: () => number[], withinMs: number): Promise<number[]> {
  const until = performance.now() + withinMs;
  for (;;) {
    const left = alive();
    if (left.length === 0 || performance.now() > until) return left;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The number in the first line of a stream. */
export async function firstNumber(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<number> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return Number(text.trim());
}

/** The processes whose attempt's folder lies in a data folder. */
export function processesIn(folder: string): number[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name)).filter((pid) => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/environ`).includes(`ESPALIER_DIR=${folder}/`);
    } catch {
      // No process, another user's, or one that has just ended.
      return false;
    }
  });
}
