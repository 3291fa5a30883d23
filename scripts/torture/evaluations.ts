/**
 * What the workers' own files say that they evaluated, and why anything was evaluated again.
 *
 * @module
 */
import type { EvaluationLine } from "../../tests/integration/fleet/role.ts";
import type { TorturedCluster } from "./cluster.ts";
import type { Fault, FaultKind } from "./fault_log.ts";

/** One execution of an attempt. */
export interface Evaluation {
  readonly task: string;
  readonly lease: string;
  /** The place where it ran. */
  readonly place: string;
  readonly startedAtMs: number;
  /** Absent where its process was ended with it. */
  state: string | undefined;
}

/** After the end of a fault its consequences come to an end: sessions are left, what was lost is called so. */
const LINGERS_MS = 8_000;

/** Reads what each worker process wrote, and what it said because it could not write it. In the order of starts. */
export function readEvaluations(cluster: TorturedCluster): Evaluation[] {
  const evaluations = cluster.workers.flatMap(({ place, file, member }) => {
    const unwritten = member.words.flatMap(({ unwritten }) => unwritten ?? []);
    const lines = [...linesOf(file), ...unwritten].toSorted((one, other) => one.atMs - other.atMs);
    return evaluationsOf(place, lines);
  });
  return evaluations.toSorted((one, other) => one.startedAtMs - other.startedAtMs);
}

function linesOf(path: string): EvaluationLine[] {
  let text = "";
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    // It evaluated nothing.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return text.split("\n").flatMap((line) => {
    // Where its process was killed or its disk was full, half a line may stand before another.
    const whole = line.slice(line.lastIndexOf('{"event"'));
    return whole.endsWith("}") ? [JSON.parse(whole)] : [];
  });
}

function evaluationsOf(place: string, lines: readonly EvaluationLine[]): Evaluation[] {
  const open = new Map<string, Evaluation>();
  const all: Evaluation[] = [];
  for (const line of lines) {
    const lease = leaseOf(line);
    if (line.event === "ended") {
      const evaluation = open.get(lease);
      if (evaluation !== undefined) evaluation.state = line.state;
      continue;
    }
    const evaluation = { task: line.task, lease, place, startedAtMs: line.atMs, state: undefined };
    open.set(lease, evaluation);
    all.push(evaluation);
  }
  return all;
}

function leaseOf({ task, attempt, epoch }: EvaluationLine): string {
  return `${task} ${attempt} ${epoch}`;
}

/** Why tasks were evaluated more than once, by the fault that their earlier evaluation met; and what none explains. */
export interface Reruns {
  readonly because: ReadonlyMap<FaultKind, number>;
  readonly unexplained: readonly string[];
}

/** Looks for the fault behind each repeated evaluation. @param evaluations in the order of their starts */
export function explainReruns(evaluations: readonly Evaluation[], faults: readonly Fault[]): Reruns {
  const because = new Map<FaultKind, number>();
  const unexplained: string[] = [];
  const before = new Map<string, Evaluation>();
  for (const evaluation of evaluations) {
    const earlier = before.get(evaluation.task);
    before.set(evaluation.task, evaluation);
    if (earlier === undefined) continue;
    const fault = faults.findLast((each) => explains(each, earlier, evaluation.startedAtMs));
    if (fault === undefined) {
      unexplained.push(
        `${evaluation.task} ran at ${earlier.place} and again at ${evaluation.place}, and nothing had happened`,
      );
    } else because.set(fault.kind, (because.get(fault.kind) ?? 0) + 1);
  }
  return { because, unexplained };
}

function explains(fault: Fault, { place, startedAtMs }: Evaluation, againAtMs: number): boolean {
  const concerns = fault.victim === "cluster" || fault.victim === place || place === "";
  return concerns && fault.fromMs <= againAtMs && fault.toMs + LINGERS_MS >= startedAtMs;
}
