/**
 * Control groups (cgroup v2), where this process may make them: what ends all processes of an attempt at once, counts what
 * they use and holds them to it.
 *
 * Promise: nothing leaves its group, whatever it does to its session and its environment, unless it has the rights to.
 * Not here: systems without them, and version 1.
 *
 * @module
 */
import { join } from "node:path";
import type { ProcessLimits } from "./limits.ts";

/** What was killed is gone by then, unless the system holds it for a reason of its own. */
const EMPTY_WITHIN_MS = 2_000;
/** The period for which cores are counted, in microseconds: the kernel's own default. */
const CPU_PERIOD_US = 100_000;
/** The least that the kernel takes, in microseconds. */
const CPU_QUOTA_MIN_US = 1_000;
const PREFIX = "espalier-";
/** Where a worker goes that was alone in its group: a group whose members are limited has no processes of its own. */
const WORKER_GROUP = `${PREFIX}worker`;
/** What the names of the folders begin with that hold the groups of one life of a worker, locked while it lives. */
const LIFE_PREFIX = `${PREFIX}life-`;
/** A new folder may be taken for one that nobody holds, and removed, before it is locked. */
const OPENS_MAX = 5;

/** The group of one process and all that it starts. */
export interface Cgroup {
  /** Whoever writes 0 to it becomes a member. */
  readonly membersFile: string;
  /** Whoever writes 1 to it ends all members. */
  readonly killFile: string;
  /** Whether the memory of all of it together is limited. */
  readonly limitsMemory: boolean;
  /** Ends all members, waits until they are gone and removes the group. @returns whether its memory was not enough */
  end(): Promise<boolean>;
}

/** The groups of one worker. */
export class Cgroups {
  readonly folder: string;
  readonly #lock: Deno.FsFile;
  readonly #controllers: ReadonlySet<string>;

  private constructor(folder: string, lock: Deno.FsFile) {
    this.folder = folder;
    this.#lock = lock;
    this.#controllers = enable(folder, ["memory", "cpu"]);
  }

  /** Groups of this process's own; undefined where it may make none. @param name which no other has */
  static open(name: string): Cgroups | undefined {
    const base = ownGroup();
    if (base === undefined) return undefined;
    for (let open = 1; open <= OPENS_MAX; open += 1) {
      const folder = join(base, `${LIFE_PREFIX}${name}.${open}`);
      if (attempt(() => (Deno.mkdirSync(folder), true)) === undefined) return undefined;
      const lock = attempt(() => Deno.openSync(folder));
      const isHeld = lock !== undefined && attempt(() => lock.tryLockSync(true)) === true && exists(folder);
      const isUsable = isHeld && attempt(() => (limitMembersOf(base), canEnter(folder))) === true;
      if (isUsable) return new Cgroups(folder, lock);
      lock?.close();
      removeQuietly(folder);
      if (isHeld) return undefined;
    }
    return undefined;
  }

  /** A new group. @throws Error where it cannot be made */
  make(name: string, limits: ProcessLimits | undefined): Cgroup {
    const folder = join(this.folder, name);
    Deno.mkdirSync(folder);
    const limitsMemory = limits?.memoryBytes !== undefined && this.#controllers.has("memory");
    if (limitsMemory) {
      write(folder, "memory.max", String(limits.memoryBytes));
      // What does not fit is not moved to the disk, where it would take for ever; and it ends as a whole.
      attempt(() => write(folder, "memory.swap.max", "0"));
      attempt(() => write(folder, "memory.oom.group", "1"));
    }
    if (limits?.cpus !== undefined && this.#controllers.has("cpu")) {
      const quotaUs = Math.max(CPU_QUOTA_MIN_US, Math.round(limits.cpus * CPU_PERIOD_US));
      write(folder, "cpu.max", `${quotaUs} ${CPU_PERIOD_US}`);
    }
    return {
      membersFile: join(folder, "cgroup.procs"),
      killFile: join(folder, "cgroup.kill"),
      limitsMemory,
      end: () => endGroup(folder),
    };
  }

  /** All groups have ended. */
  close(): void {
    removeQuietly(this.folder);
    this.#lock.close();
  }
}

/**
 * Ends what the groups of all dead workers of this machine still hold, and removes them: their data folders may never be
 * used again. The lock tells who is dead; the system lets go of it with the process, also in another container.
 */
export async function endGroupsOfNobody(): Promise<void> {
  const base = ownGroup();
  if (base === undefined) return;
  const names = attempt(() => Array.from(Deno.readDirSync(base), ({ name }) => name)) ?? [];
  const lives = names.filter((name) => name.startsWith(LIFE_PREFIX));
  await Promise.all(lives.map(async (name) => {
    const folder = join(base, name);
    const lock = attempt(() => Deno.openSync(folder));
    if (lock === undefined) return;
    if (attempt(() => lock.tryLockSync(true)) === true) await endEarlierGroups(folder);
    lock.close();
  }));
}

/** Ends what the groups of an earlier life still hold, and removes them. @param folder as that life knew it */
export async function endEarlierGroups(folder: string): Promise<void> {
  const names = attempt(() => Array.from(Deno.readDirSync(folder)).filter(({ isDirectory }) => isDirectory));
  await Promise.all((names ?? []).map(({ name }) => endGroup(join(folder, name))));
  removeQuietly(folder);
}

async function endGroup(folder: string): Promise<boolean> {
  attempt(() => write(folder, "cgroup.kill", "1"));
  const untilMs = performance.now() + EMPTY_WITHIN_MS;
  while (read(folder, "cgroup.events").includes("populated 1") && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const killed = /^oom_kill (\d+)$/m.exec(read(folder, "memory.events"))?.[1] ?? "0";
  removeQuietly(folder);
  return Number(killed) > 0;
}

/** The folder of this process's group; undefined where the system has none. */
function ownGroup(): string | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const mounts = attempt(() => Deno.readTextFileSync("/proc/self/mountinfo")) ?? "";
  const [mount] = mounts.split("\n").filter((line) => line.includes(" - cgroup2 "));
  const [, , , , place] = mount?.split(" ") ?? [];
  const groups = attempt(() => Deno.readTextFileSync("/proc/self/cgroup")) ?? "";
  const path = /^0::(\/.*)$/m.exec(groups)?.[1];
  if (place === undefined || path === undefined) return undefined;
  // A name in mountinfo has its spaces written as \040.
  const folder = join(place.replaceAll("\\040", " "), path);
  return folder.endsWith(`/${WORKER_GROUP}`) ? join(folder, "..") : folder;
}

/** Lets the groups in one have limits. It may have no processes of its own then: this one goes to a group beside them. */
function limitMembersOf(base: string): void {
  const missing = enabledIn(base, "cgroup.controllers").filter((name) =>
    (name === "memory" || name === "cpu") && !enabledIn(base, "cgroup.subtree_control").includes(name)
  );
  if (missing.length === 0) return;
  const members = read(base, "cgroup.procs").split("\n").filter((pid) => pid !== "");
  const isAlone = members.length === 1 && members[0] === String(Deno.pid);
  attempt(() => {
    if (isAlone) {
      Deno.mkdirSync(join(base, WORKER_GROUP), { recursive: true });
      write(join(base, WORKER_GROUP), "cgroup.procs", String(Deno.pid));
    }
    enable(base, missing);
  });
}

/** @returns those that the groups in a folder can have */
function enable(folder: string, wanted: readonly string[]): ReadonlySet<string> {
  const known = enabledIn(folder, "cgroup.controllers");
  for (const name of wanted.filter((name) => known.includes(name))) {
    attempt(() => write(folder, "cgroup.subtree_control", `+${name}`));
  }
  return new Set(enabledIn(folder, "cgroup.subtree_control"));
}

function enabledIn(folder: string, file: string): string[] {
  return read(folder, file).trim().split(/\s+/);
}

/** Whether processes can be moved into a group and killed there: to make a folder is not enough (cgroups(7), delegation). */
function canEnter(folder: string): boolean {
  const probe = join(folder, "probe");
  Deno.mkdirSync(probe);
  try {
    Deno.statSync(join(probe, "cgroup.kill"));
    const args = ["-c", 'echo 0 >"$1/cgroup.procs"', "probe", probe];
    return new Deno.Command("/bin/sh", { args, stdout: "null", stderr: "null" }).outputSync().success;
  } finally {
    removeQuietly(probe);
  }
}

function read(folder: string, file: string): string {
  return attempt(() => Deno.readTextFileSync(join(folder, file))) ?? "";
}

function write(folder: string, file: string, text: string): void {
  Deno.writeTextFileSync(join(folder, file), text, { create: false });
}

function exists(path: string): boolean {
  return attempt(() => Deno.statSync(path)) !== undefined;
}

function removeQuietly(folder: string): void {
  attempt(() => Deno.removeSync(folder));
}

function attempt<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
