/**
 * What a master needs to go on, read from the file; open tasks cross to the main thread in columns.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { EXPERIMENT_STATES } from "../../../shared/model/experiment.ts";
import { type Epoch, groupId, incarnation, taskId, workerId } from "../../../shared/model/ids.ts";
import { FAILURE_CAUSES } from "../../../shared/model/outcome.ts";
import type { LastFailure, OpenAttempt, OpenExperiment, OpenGroup, OpenTask, Recovered } from "../store.ts";
import type { Connection } from "./connection.ts";
import { epochEnd } from "./epoch_end.ts";
import { NOT_ENDED } from "./known_attempts.ts";
import { type Packed, Packer, Unpacker } from "./packing.ts";
import { bytesOf, numberOf, type Row, rows, textOf } from "./row.ts";
import { UnusableFile } from "./schema.ts";

/** `Recovered` with its tasks in columns: a million of them, cloned as objects, would take seconds. */
export interface PackedRecovered extends Omit<Recovered, "tasks"> {
  readonly packedTasks: Packed;
}

const OVER = "('completed', 'cancelled', 'broken')";

/** Reads what a master needs; the newest epoch is its own. */
export function readRecovered({ db, epochs, commit, writer, reader }: Connection): PackedRecovered {
  const names = [...epochs.keys()];
  const epoch = names.pop();
  if (epoch === undefined) throw new Error("a store that was opened has an epoch");
  const named = new Map([...epochs].map(([name, number]) => [number, name]));
  return {
    epoch,
    earlierEpochs: names,
    epochEnds: names.map((name) => epochEnd(db, epochs.get(name) ?? 0, commit)),
    commit,
    groups: openGroups(db),
    packedTasks: openTasks(db),
    attempts: openAttempts(db, named),
    lastFailures: lastFailures(db, named),
    checkpoints: reader.kept.openCheckpoints(),
    continued: reader.kept.continuedAttempts(Math.min(...epochs.values())),
    experiments: openExperiments(db),
    nextGroup: writer.marks.group,
  };
}

/** Gives tasks their form again. */
export function unpackRecovered({ packedTasks, ...rest }: PackedRecovered): Recovered {
  const from = new Unpacker(packedTasks);
  const tasks: OpenTask[] = [];
  while (!from.isAtEnd) {
    const task = taskId(groupId(from.text()), from.number());
    const payload = from.bytes();
    const attempts = from.number();
    const [evaluator, deadline, worker_lost, crash] = [
      from.number(),
      from.number(),
      from.number(),
      from.number(),
    ];
    const isFinal = from.number() === 1;
    tasks.push({ task, payload, attempts, failures: { evaluator, deadline, worker_lost, crash }, isFinal });
  }
  return { ...rest, tasks };
}

function openGroups(db: DatabaseSync): readonly OpenGroup[] {
  const sql = `SELECT id, template, last_number FROM groups
    WHERE submitted > completed + failed + cancelled + pruned
      OR id IN (SELECT id FROM experiments WHERE state NOT IN ${OVER}) ORDER BY seq`;
  return rows(db, sql).map((row) => ({
    group: groupId(textOf(row.id)),
    template: bytesOf(row.template),
    lastNumber: numberOf(row.last_number),
  }));
}

const FROM_OPEN_TASKS = `
  FROM submissions s JOIN groups g ON g.seq = s.group_seq
    CROSS JOIN tasks t ON t.seq >= s.first_seq AND t.seq < s.first_seq + s.count
  WHERE g.submitted > g.completed + g.failed + g.cancelled + g.pruned
    AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.task = t.seq)`;

function openTasks(db: DatabaseSync): Packed {
  const attempts = attemptsByTask(db);
  const packer = new Packer();
  const open = db.prepare(`
    SELECT t.seq, t.payload, g.id, s.first + t.seq - s.first_seq AS number
    ${FROM_OPEN_TASKS} ORDER BY s.first_seq, t.seq`);
  // A cursor that cannot read on ends as if there were no more: what it leaves out would never run.
  const expected = numberOf(rows(db, `SELECT count(*) AS count ${FROM_OPEN_TASKS}`)[0]?.count ?? 0);
  let read = 0;
  for (const row of open.iterate()) {
    read += 1;
    const known = attempts.get(numberOf(row.seq));
    packer.name(textOf(row.id));
    packer.number(numberOf(row.number));
    packer.bytes(bytesOf(row.payload));
    packer.number(known?.count ?? 0);
    for (const cause of FAILURE_CAUSES) packer.number(known?.failures.get(cause) ?? 0);
    packer.number(known?.isFinal === true ? 1 : 0);
  }
  if (read !== expected) {
    const advice = "see what of it is whole with espalier verify, and start from a backup";
    throw new UnusableFile(
      "damaged",
      `the store's file is damaged (of ${expected} open tasks ${read} can be read): ${advice}`,
    );
  }
  return packer.finish();
}

interface TaskAttempts {
  count: number;
  isFinal: boolean;
  readonly failures: Map<string, number>;
}

function attemptsByTask(db: DatabaseSync): ReadonlyMap<number, TaskAttempts> {
  const byTask = new Map<number, TaskAttempts>();
  const sql = `
    SELECT task, cause, count(*) AS count, max(final) AS final FROM ended_attempts
      WHERE NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.task = ended_attempts.task) GROUP BY task, cause
    UNION ALL SELECT task, 'open', count(*), 0 FROM open_attempts a
      WHERE ${NOT_ENDED} GROUP BY task`;
  for (const row of rows(db, sql)) {
    const task = numberOf(row.task);
    const known = byTask.get(task) ?? { count: 0, isFinal: false, failures: new Map() };
    known.count += numberOf(row.count);
    known.isFinal ||= numberOf(row.final) === 1;
    known.failures.set(textOf(row.cause), numberOf(row.count));
    byTask.set(task, known);
  }
  return byTask;
}

function openAttempts(db: DatabaseSync, epochs: ReadonlyMap<number, Epoch>): readonly OpenAttempt[] {
  const sql = `
    SELECT a.*, g.id, s.first + a.task - s.first_seq AS number FROM open_attempts a
      JOIN submissions s ON s.first_seq = (SELECT max(first_seq) FROM submissions WHERE first_seq <= a.task)
      JOIN groups g ON g.seq = s.group_seq`;
  return rows(db, sql).flatMap((row) => {
    const epoch = epochs.get(numberOf(row.epoch));
    return epoch === undefined ? [] : [openAttempt(row, epoch)];
  });
}

function lastFailures(db: DatabaseSync, epochs: ReadonlyMap<number, Epoch>): readonly LastFailure[] {
  const causes = FAILURE_CAUSES.map((each) => `'${each}'`).join(", ");
  const sql = `
    SELECT e.*, g.id AS group_id, s.first + e.task - s.first_seq AS number FROM ended_attempts e
      JOIN submissions s ON s.first_seq = (SELECT max(first_seq) FROM submissions WHERE first_seq <= e.task)
      JOIN groups g ON g.seq = s.group_seq
    WHERE e.id IN (SELECT max(id) FROM ended_attempts
      WHERE cause IN (${causes}) AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.task = ended_attempts.task)
      GROUP BY task, cause, final) ORDER BY e.id`;
  return rows(db, sql).flatMap((row) => {
    const epoch = epochs.get(numberOf(row.epoch));
    const cause = FAILURE_CAUSES.find((each) => each === row.cause);
    if (epoch === undefined || cause === undefined) return [];
    const task = taskId(groupId(textOf(row.group_id)), numberOf(row.number));
    return [{
      lease: { epoch, task, attempt: numberOf(row.attempt) },
      worker: workerId(textOf(row.worker)),
      cause,
      message: textOf(row.message),
      isFinal: numberOf(row.final) === 1,
    }];
  });
}

function openAttempt(row: Row, epoch: Epoch): OpenAttempt {
  const task = taskId(groupId(textOf(row.id)), numberOf(row.number));
  return {
    lease: { epoch, task, attempt: numberOf(row.attempt) },
    worker: workerId(textOf(row.worker)),
    incarnation: incarnation(textOf(row.incarnation)),
    openedAtMs: numberOf(row.at_ms),
  };
}

function openExperiments(db: DatabaseSync): readonly OpenExperiment[] {
  const sql = `SELECT * FROM experiments WHERE state NOT IN ${OVER} ORDER BY seq`;
  return rows(db, sql).map((row) => ({
    experiment: groupId(textOf(row.id)),
    name: textOf(row.name),
    spec: textOf(row.spec),
    state: EXPERIMENT_STATES.find((state) => state === row.state) ?? "broken",
    reason: textOf(row.reason),
    createdAtMs: numberOf(row.created_at_ms),
  }));
}
