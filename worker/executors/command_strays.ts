/**
 * Strays: processes that a program started and that left its group, as `setsid` does. Their environment tells whose they are.
 *
 * Only Linux shows the environment of processes; elsewhere strays are not found.
 *
 * @module
 */

/** So many processes are looked at before others get their turn. */
const LOOKED_AT_MAX = 200;
/** A stray may start others while it is looked for, and what was killed takes a moment to be gone. */
const ROUNDS_MAX = 500;
/** Between two looks. */
const ROUND_MS = 1;

/**
 * Ends all processes with certain attempts' folders in their environment, and waits until they are gone.
 *
 * @param isMeant tells by a folder, as it stands in `ESPALIER_DIR`
 * @param eldest where it is known: the first process that can be one, started a short time ago. Numbers are given in turn,
 * and to look at a few processes costs little
 */
export async function endStrays(isMeant: (folder: string) => boolean, eldest?: number): Promise<void> {
  if (Deno.build.os !== "linux") return;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const strays = await processesOf(isMeant, eldest);
    if (strays.length === 0) return;
    for (const pid of strays) kill(pid);
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  }
}

async function processesOf(
  isMeant: (folder: string) => boolean,
  eldest: number | undefined,
): Promise<number[]> {
  const youngest = eldest === undefined ? undefined : youngestProcess();
  const found: number[] = [];
  let looked = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name) || !isBetween(Number(name), eldest, youngest)) continue;
    const folder = folderOf(name);
    if (folder !== undefined && isMeant(folder)) found.push(Number(name));
    looked += 1;
    if (looked % LOOKED_AT_MAX === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return found;
}

/** The number that was given last (proc_loadavg(5)); undefined where the system does not say. */
function youngestProcess(): number | undefined {
  try {
    const last = Number(Deno.readTextFileSync("/proc/loadavg").trim().split(" ").at(-1));
    return Number.isSafeInteger(last) && last > 0 ? last : undefined;
  } catch {
    return undefined;
  }
}

/** Behind the highest number the lowest follow again. */
function isBetween(pid: number, eldest: number | undefined, youngest: number | undefined): boolean {
  if (eldest === undefined || youngest === undefined) return true;
  return eldest <= youngest ? pid >= eldest && pid <= youngest : pid >= eldest || pid <= youngest;
}

const MARK = "ESPALIER_DIR=";
const decoder = new TextDecoder();

function folderOf(pid: string): string | undefined {
  try {
    // Zombies have no environment any more.
    const environment = `\0${decoder.decode(Deno.readFileSync(`/proc/${pid}/environ`))}`;
    const at = environment.indexOf(`\0${MARK}`);
    if (at < 0) return undefined;
    const from = at + 1 + MARK.length;
    return environment.slice(from, environment.indexOf("\0", from));
  } catch {
    // Another user's, or it has ended.
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
