/**
 * The store's core: one SQLite file, one writer, everything synchronous.
 *
 * Promise: a commit is one transaction, checks in it that its epoch is the newest, and is on the disk when it returns.
 * After a failure the file is opened again before anything else is done with it, and a batch that turns out to be
 * durable gets its first answer. A file that was deleted or replaced meanwhile ends it.
 * Not here: threads (thread.ts), the lock on the folder (folder_lock.ts), backups (backup.ts).
 *
 * @module
 */
import type { Epoch } from "../../../shared/model/ids.ts";
import type { Committed, OpenOptions, Queries } from "../store.ts";
import { addStoreId, connect, type Connection, type DatabaseOptions } from "./connection.ts";
import { NOT_ENDED } from "./known_attempts.ts";
import { OpenFile } from "./open_file.ts";
import { type PackedRecovered, readRecovered } from "./recovery.ts";
import type { RowChange } from "./row_change.ts";

/** Digits of an epoch's mark. */
const MARK_DIGITS = 8;

/** Groups count what is known of tasks without outcome. */
const FORGET_OPEN_ATTEMPTS = `
  UPDATE groups SET open_attempts = open_attempts - (
    SELECT count(*) FROM open_attempts a
      JOIN submissions s ON s.first_seq = (SELECT max(first_seq) FROM submissions WHERE first_seq <= a.task)
    WHERE s.group_seq = groups.seq AND ${NOT_ENDED});
  DELETE FROM open_attempts`;

/** Another master has taken a newer epoch. */
export class Superseded extends Error {}

/** A commit that failed, which may be durable nevertheless. */
interface Doubtful {
  readonly batch: number;
  readonly committed: Committed;
}

/** A store's file. */
export class Database {
  readonly #options: DatabaseOptions;
  readonly #file: OpenFile;
  #connection: Connection | undefined;
  #doubtful: Doubtful | undefined;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#file = new OpenFile(options.path);
  }

  /**
   * Opens or makes the file and takes a new epoch, in the same transaction as a new id where one is wanted.
   *
   * @throws UnusableFile, or what SQLite throws
   */
  open({ renew = false }: OpenOptions = {}): PackedRecovered {
    this.#guarded((connection) => this.#takeEpoch(connection, renew));
    // What is in memory was read before the new epoch.
    this.#disconnect();
    return this.#guarded(readRecovered);
  }

  /**
   * Makes changes durable.
   *
   * @param batch a number that is the same when the same batch is applied again, and only then
   * @throws Superseded, FileGone, UnusableFile, or what SQLite throws
   */
  commit(epoch: Epoch, batch: number, changes: readonly RowChange[]): Committed {
    return this.#guarded((connection) => {
      const doubtful = this.#doubtful;
      // Only this process writes, and it has written nothing since: that commit is this batch's.
      if (doubtful?.batch === batch && doubtful.committed.commit === connection.commit) {
        return doubtful.committed;
      }
      return this.#transaction(connection, epoch, batch, changes);
    });
  }

  query<K extends keyof Queries>(kind: K, ask: Queries[K]["ask"]): Queries[K]["answer"] {
    return this.#guarded(({ reader }) => reader.answer(kind, ask, this.#options.wallClock()));
  }

  /** Closes the file; SQLite brings the log into it where it can. A later call opens it again. */
  close(): void {
    this.#disconnect();
    this.#file.forget();
  }

  #takeEpoch({ db, statements }: Connection, renew: boolean): void {
    const { randomHex, wallClock } = this.#options;
    statements.begin.run();
    const { lastInsertRowid } = db.prepare("INSERT INTO epochs (mark, at_ms) VALUES (?, ?)")
      .run(randomHex(MARK_DIGITS), wallClock());
    if (renew) {
      addStoreId(db, this.#options, Number(lastInsertRowid));
      // Their leases are another store's now: whoever has one is told to end it, and nobody waits for it.
      db.exec(FORGET_OPEN_ATTEMPTS);
    }
    statements.commit.run();
  }

  #transaction(
    connection: Connection,
    epoch: Epoch,
    batch: number,
    changes: readonly RowChange[],
  ): Committed {
    const { db, writer, statements, epochs } = connection;
    statements.begin.run();
    if (epochs.get(epoch) !== statements.newestEpoch.get()?.number) {
      db.exec("ROLLBACK");
      throw new Superseded(`another master has opened the store: ${epoch} is not its newest epoch`);
    }
    const { verdicts, shown } = writer.apply(changes);
    const commit = connection.commit + 1;
    const { task, outcome, ended, state, group } = writer.marks;
    statements.addCommit.run(commit, epochs.get(epoch) ?? 0, shown, task, outcome, ended, state, group);
    const committed = { commit, verdicts };
    this.#doubtful = { batch, committed };
    statements.commit.run();
    this.#file.check();
    this.#doubtful = undefined;
    connection.commit = commit;
    return committed;
  }

  /** Runs something on the connection; after a failure nothing that is in memory is trusted. */
  #guarded<T>(run: (connection: Connection) => T): T {
    this.#connection ??= this.#connect();
    try {
      return run(this.#connection);
    } catch (error) {
      if (!(error instanceof Superseded)) this.#disconnect();
      throw error;
    }
  }

  #connect(): Connection {
    this.#file.expect();
    const connection = connect(this.#options);
    this.#file.connected();
    return connection;
  }

  #disconnect(): void {
    const db = this.#connection?.db;
    this.#connection = undefined;
    // Closing rolls back what was begun.
    db?.close();
  }
}
