/**
 * What Linux tells of processes: their marks, their numbers, whether they are gone (proc(5)).
 *
 * @module
 */

/** The variable that tells whose a process is. */
export const MARK_VARIABLE = "ESPALIER_LEASE";

/** So many numbers are asked for one by one; to read the list of all processes costs as much. */
const NUMBERS_ASKED_MAX = 300;
/** Set in a process that runs nothing but the kernel (linux/sched.h). */
const KERNEL_THREAD_FLAG = 0x0020_0000;
/** Behind the highest number the first of these follows again. */
const NUMBER_AGAIN = 300;

/** A process as it is seen; `unclear` where it has no environment now, being about to run a program or to end. */
export type Seen = { readonly mark: string | undefined } | "unclear" | "absent";

const decoder = new TextDecoder();
const buffer = new Uint8Array(64 * 1024);

/** Looks at a process. */
export function lookAt(pid: number): Seen {
  let environment: string;
  try {
    environment = readEnvironment(pid);
  } catch (error) {
    // What is another user's is not ours.
    if (error instanceof Deno.errors.PermissionDenied) return { mark: undefined };
    return error instanceof Deno.errors.NotFound ? "absent" : lookAtThreads(pid);
  }
  // It ends with a zero, unless the process ended while it was read.
  if (environment.endsWith("\0")) return { mark: markIn(environment) };
  const status = statusOf(pid);
  if (status === undefined) return "absent";
  if (isEnded(status.state)) return lookAtThreads(pid);
  return (status.flags & KERNEL_THREAD_FLAG) === 0 ? "unclear" : { mark: undefined };
}

/** A process whose main thread has ended shows its environment by the others. */
function lookAtThreads(pid: number): Seen {
  for (const thread of threadsOf(pid)) {
    try {
      const environment = readEnvironment(`${pid}/task/${thread}`);
      if (environment.endsWith("\0")) return { mark: markIn(environment) };
    } catch {
      // It has just ended, too.
    }
  }
  return "absent";
}

/** Those beside the main thread. */
function threadsOf(pid: number): number[] {
  try {
    return Array.from(Deno.readDirSync(`/proc/${pid}/task`), ({ name }) => Number(name)).filter((id) =>
      id !== pid
    );
  } catch {
    return [];
  }
}

/** In one read where it fits: a process that ends between two would show its beginning alone. */
function readEnvironment(of: number | string): string {
  using file = Deno.openSync(`/proc/${of}/environ`);
  let text = "";
  for (;;) {
    const count = file.readSync(buffer) ?? 0;
    text += decoder.decode(buffer.subarray(0, count));
    if (count < buffer.length) return text;
  }
}

function markIn(environment: string): string | undefined {
  const text = `\0${environment}`;
  const at = text.indexOf(`\0${MARK_VARIABLE}=`);
  if (at < 0) return undefined;
  const from = at + MARK_VARIABLE.length + 2;
  const end = text.indexOf("\0", from);
  return text.slice(from, end < 0 ? undefined : end);
}

/** Whether a process has ended; one whose end its parent has not heard of has. */
export function isGone(pid: number): boolean {
  const status = statusOf(pid);
  return status === undefined || (isEnded(status.state) && threadsOf(pid).length === 0);
}

function isEnded(state: string): boolean {
  return state === "Z" || state === "X";
}

function statusOf(pid: number): { readonly state: string; readonly flags: number } | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // After the name, which may hold anything: state, parent, group, session, terminal, its group, flags.
    const [state = "", , , , , , flags = "0"] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state, flags: Number(flags) };
  } catch {
    return undefined;
  }
}

/** The children of a process, as far as the system tells. */
export function childrenOf(pid: number): number[] {
  return [pid, ...threadsOf(pid)].flatMap((thread) => {
    try {
      const text = Deno.readTextFileSync(`/proc/${pid}/task/${thread}/children`).trim();
      return text === "" ? [] : text.split(" ").map(Number);
    } catch {
      return [];
    }
  });
}

/** Whether the numbers that are listed are those by which this process sends signals: in a container they may be the machine's. */
export function listsOwnNumbers(): boolean {
  try {
    return Deno.readLinkSync("/proc/self") === String(Deno.pid);
  } catch {
    return false;
  }
}

/** The number that was given last; undefined where the system does not say. */
export function youngestNumber(): number | undefined {
  try {
    const last = Number(Deno.readTextFileSync("/proc/loadavg").trim().split(" ").at(-1));
    return Number.isSafeInteger(last) && last > 0 ? last : undefined;
  } catch {
    return undefined;
  }
}

/** All processes that can have numbers from one on to another; all there are where one of them is not known. */
export function numbersFrom(eldest: number | undefined, youngest: number | undefined): number[] {
  if (eldest === undefined || youngest === undefined) return listed(() => true);
  return eldest === youngest ? [eldest] : [eldest, ...numbersAfter(eldest, youngest)];
}

/** Those after a number up to another. Behind the highest number the lowest follow again. */
export function numbersAfter(seen: number, youngest: number): number[] {
  const count = youngest - seen;
  if (count < 0) return listed((pid) => pid > seen || (pid >= NUMBER_AGAIN && pid <= youngest));
  if (count > NUMBERS_ASKED_MAX) return listed((pid) => pid > seen && pid <= youngest);
  return Array.from({ length: count }, (_, index) => seen + 1 + index);
}

function listed(isMeant: (pid: number) => boolean): number[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name)).filter((pid) =>
    Number.isInteger(pid) && isMeant(pid)
  );
}
