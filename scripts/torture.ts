/**
 * Torture: a real master and real workers over real sockets and a real disk, killed, frozen, cut off and filled up at
 * random while they work; then healed, waited for, and judged.
 *
 * The seed decides what is drawn; when it happens is the machine's, so that a seed names a mixture and does not replay a
 * run. `--help` tells how it is used.
 *
 * @module
 */
import { seededRandom } from "../shared/actor/random.ts";
import { asked, misused, wholeNumber } from "./asked.ts";
import { TorturedCluster, within } from "./torture/cluster.ts";
import { FaultLog } from "./torture/fault_log.ts";
import { judge, type Judgement } from "./torture/judge.ts";
import { Load } from "./torture/load.ts";
import { Nemesis } from "./torture/nemesis.ts";

/** Once all is healed, everything has to come to its end within this time. */
const HEALED_WITHIN_MS = 90_000;
/** Violations that are printed. */
const VIOLATIONS_TOLD_MAX = 40;

/** @returns the exit code */
async function torture(minutes: number, seed: number): Promise<number> {
  const cluster = new TorturedCluster();
  console.log(`torture for ${minutes} minutes, seed ${seed}, in ${cluster.fleet.folder}`);
  const interrupt = async () => {
    await cluster.kill();
    await Deno.remove(cluster.fleet.folder, { recursive: true });
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", interrupt);
  Deno.addSignalListener("SIGTERM", interrupt);
  const log = new FaultLog();
  let isWell = false;
  try {
    const judgement = await run(cluster, log, minutes, seed);
    tell(judgement, log);
    isWell = judgement.violations.length === 0;
  } finally {
    await cluster.kill();
    if (isWell) await Deno.remove(cluster.fleet.folder, { recursive: true });
    else console.log(`the folder is kept: ${cluster.fleet.folder}`);
  }
  return isWell ? 0 : 1;
}

async function run(
  cluster: TorturedCluster,
  log: FaultLog,
  minutes: number,
  seed: number,
): Promise<Judgement> {
  await cluster.start(seed);
  const load = new Load(cluster.client, seededRandom("load", seed));
  const stop = new AbortController();
  const nemesis = new Nemesis(cluster, seededRandom("nemesis", seed), log, stop.signal);
  const running = Promise.all([load.run(), nemesis.run()]);
  const timer = setTimeout(() => {
    stop.abort();
    load.finish();
  }, minutes * 60_000);
  log.say("begun");
  // Whoever fails ends the run.
  await running.finally(() => clearTimeout(timer));
  log.say("healed: all that is left may come to its end");
  const isOver = await within(HEALED_WITHIN_MS, load.over());
  if (!isOver) {
    load.problems.push(
      `liveness: ${load.unfinished} are not over ${HEALED_WITHIN_MS} ms after all was healed`,
    );
  }
  for (const { name, member } of cluster.places) {
    if (member.hasEnded) load.problems.push(`${name} ended by itself with ${await member.ended()}`);
  }
  if (cluster.master.hasEnded) {
    load.problems.push(`the master ended by itself with ${await cluster.master.ended()}`);
  }
  log.say("stopping");
  await cluster.stop();
  return judge(cluster, load, log);
}

function tell({ violations, report, outcomes, evaluations, reruns }: Judgement, log: FaultLog): void {
  const counts = (map: ReadonlyMap<string, number>) =>
    [...map].map(([name, count]) => `${name} ${count}`).join(", ");
  const looked = report?.checks.reduce((sum, check) => sum + check.looked, 0) ?? 0;
  const again = [...reruns.because.values()].reduce((sum, count) => sum + count, 0);
  console.log(`
faults       ${log.faults.length}: ${counts(log.counts())}
store        ${report?.epochs} lives of the cluster, ${report?.commits} commits, ${report?.experiments} experiments
tasks        ${report?.tasks}
outcomes     ${report?.outcomes}: ${counts(outcomes)}
evaluations  ${evaluations.length}, of which ${again} again because of: ${counts(reruns.because) || "nothing"}
verify       looked at ${looked} things, found ${report?.violations} violations`);
  for (const violation of violations.slice(0, VIOLATIONS_TOLD_MAX)) console.log(`VIOLATION    ${violation}`);
  console.log(
    violations.length === 0 ? "nothing was lost, nothing was done twice" : `${violations.length} violations`,
  );
}

const USAGE = `Kills, freezes, cuts off and fills up a real cluster while it works, then checks its store.

deno task torture                          for a minute, with a seed from the clock
deno task torture --minutes 10 --seed 7    longer (parts of minutes too), with a mixture of faults that has a name

Ends with 0 where nothing was lost and nothing done twice, 1 otherwise (its folder is kept then), 2 for wrong usage.`;

if (import.meta.main) {
  const { values } = asked(USAGE, {
    options: { minutes: { type: "string", default: "1" }, seed: { type: "string" } },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes < Infinity)) {
    misused(USAGE, `--minutes takes a number above 0, not "${values.minutes}"`);
  }
  const seed = values.seed === undefined ? Date.now() : wholeNumber(USAGE, "--seed", values.seed, 0);
  Deno.exit(await torture(minutes, seed));
}
