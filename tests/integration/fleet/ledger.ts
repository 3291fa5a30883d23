/**
 * What a master's file says, read with plain SQL: the truth to which everything else is compared.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { copyStore } from "../../../master/verify/store_copy.ts";
import { assertVerified } from "./verified.ts";

const outcomeSchema = z.object({
  task: z.string(),
  state: z.string(),
  metrics: z.string().nullable(),
  cause: z.string().nullable(),
  message: z.string().nullable(),
  worker: z.string(),
  attempts: z.int(),
});
const endedSchema = z.object({ task: z.string(), attempt: z.int(), cause: z.string(), message: z.string() });
const trialSchema = z.object({ number: z.int(), candidate: z.string(), told_before: z.int() });

/** How a task ended. */
export type OutcomeRow = z.output<typeof outcomeSchema>;
/** An attempt that ended without an outcome. */
export type EndedRow = z.output<typeof endedSchema>;

/** The rows of a store. */
export interface Ledger {
  readonly tasks: number;
  readonly outcomes: readonly OutcomeRow[];
  readonly ended: readonly EndedRow[];
  /** What each trial is, in the order of their numbers. */
  readonly trials: readonly z.output<typeof trialSchema>[];
}

/** The name of a row's task: numbers within a group are those of its submission. */
const NAME = `
  (SELECT groups.id || '/' || (submissions.first + $task - submissions.first_seq)
   FROM submissions JOIN groups ON groups.seq = submissions.group_seq
   WHERE submissions.first_seq <= $task ORDER BY submissions.first_seq DESC LIMIT 1)`;

/**
 * Reads a store's file, and checks what must always hold in it.
 *
 * @param folder the master's data folder; the master may run
 */
export function readLedger(folder: string): Ledger {
  // Read from a copy: SQLite writes beside a file even to read it, and its disk may be full.
  const copy = copyStore(`${folder}/espalier.db`);
  const db = new DatabaseSync(copy.path);
  try {
    equal(db.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
    equal(
      one(db, "SELECT count(*) FROM commits"),
      one(db, "SELECT max(number) FROM commits"),
      "commits have a gap",
    );
    const doubles = db.prepare("SELECT task FROM outcomes GROUP BY task HAVING count(*) > 1").all();
    deepEqual(doubles, [], "tasks with two outcomes");
    return {
      tasks: one(db, "SELECT coalesce(sum(count), 0) FROM submissions"),
      outcomes: rows(
        db,
        `SELECT ${
          name("outcomes.task")
        } AS task, state, metrics, cause, message, worker, attempts FROM outcomes ORDER BY id`,
        outcomeSchema,
      ),
      ended: rows(
        db,
        `SELECT ${
          name("ended_attempts.task")
        } AS task, attempt, cause, message FROM ended_attempts ORDER BY id`,
        endedSchema,
      ),
      trials: rows(
        db,
        "SELECT seq AS number, candidate, told_before FROM trials ORDER BY seq",
        trialSchema,
      ),
    };
  } finally {
    db.close();
    copy.remove();
  }
}

/** Every task has its one outcome, `completed`; nothing is open; no promise that is checked on a store is broken. */
export function assertAllCompleted(folder: string, tasks: number): Ledger {
  assertVerified(folder);
  const ledger = readLedger(folder);
  equal(ledger.tasks, tasks);
  const others = ledger.outcomes.filter(({ state }) => state !== "completed");
  deepEqual(others, []);
  equal(new Set(ledger.outcomes.map(({ task }) => task)).size, tasks);
  return ledger;
}

/** Fulfilled when so many leases have rows: a restarted master knows then that they were out. */
export async function untilOpenRows(folder: string, count: number): Promise<void> {
  for (;;) {
    const db = new DatabaseSync(`${folder}/espalier.db`, { readOnly: true });
    const rows = one(db, "SELECT count(*) FROM open_attempts");
    db.close();
    if (rows >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** How many attempts ended without an outcome, by cause. */
export function endsByCause(ledger: Ledger): Record<string, number> {
  const causes: Record<string, number> = {};
  for (const { cause } of ledger.ended) causes[cause] = (causes[cause] ?? 0) + 1;
  return causes;
}

function one(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0]);
}

function rows<T>(db: DatabaseSync, sql: string, schema: z.ZodType<T>): T[] {
  return db.prepare(sql).all().map((row) => schema.parse(row));
}

function name(column: string): string {
  return NAME.replaceAll("$task", column);
}
