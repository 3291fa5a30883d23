/**
 * A connection to a store's file, with what is prepared and remembered for it.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { type Epoch, epochOf } from "../../../shared/model/ids.ts";
import { Reader } from "./reader.ts";
import { numberOf, row, rows, textOf } from "./row.ts";
import { migrate, schemaVersion } from "./schema.ts";
import { prepareCommit } from "./statements.ts";
import { type Marks, Writer } from "./writer.ts";

/** The cache of pages, in KiB: the inner pages and the newest ones of every table. */
const CACHE_KIB = 16_384;
/**
 * Pages in the log before they are brought into the file, 16 MiB: less writing than with SQLite's default of 1,000, at
 * the price of a stall of 15 to 30 ms in every forty-odd commits of a thousand tasks.
 */
const CHECKPOINT_PAGES = 4_000;
/** How long a writer waits for another, in milliseconds: only a person with a shell can be one. */
const BUSY_MS = 1_000;
/** Digits of a store's id: 128 bits. */
const STORE_ID_DIGITS = 32;

/** What the core stands on. */
export interface DatabaseOptions {
  readonly path: string;
  readonly wallClock: () => number;
  /** Hexadecimal digits from a cryptographic source. */
  readonly randomHex: (digits: number) => string;
  /** Called with each new connection: lets a test make a disk full. */
  readonly connected?: (db: DatabaseSync) => void;
}

/** An open file. */
export interface Connection {
  readonly db: DatabaseSync;
  /** The number of each epoch since the store has its present id, the newest last. */
  readonly epochs: ReadonlyMap<Epoch, number>;
  /** Of those under earlier ids too. */
  readonly everyEpoch: ReadonlyMap<Epoch, number>;
  readonly writer: Writer;
  readonly reader: Reader;
  readonly statements: ReturnType<typeof prepareCommit>;
  /** The last commit. */
  commit: number;
}

/** Opens a file, brings its schema up to date and reads where it stands. @throws UnusableFile, or what SQLite throws */
export function connect(options: DatabaseOptions): Connection {
  const db = new DatabaseSync(options.path);
  try {
    const version = schemaVersion(db, options.path);
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA busy_timeout = ${BUSY_MS};
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    `);
    options.connected?.(db);
    migrate(db, version, options.wallClock());
    const ids = storeIds(db, options);
    const names = epochNames(db, ids);
    const since = ids.at(-1)?.firstEpoch ?? 1;
    const everyEpoch = new Map(names.map((epoch, index) => [epoch, index + 1] as const));
    const epochs = new Map([...everyEpoch].slice(since - 1));
    const last = row(db, "SELECT * FROM commits ORDER BY number DESC LIMIT 1");
    return {
      db,
      epochs,
      everyEpoch,
      writer: new Writer(db, marksOf(last), epochs, everyEpoch),
      reader: new Reader(db, names),
      statements: prepareCommit(db),
      commit: last === undefined ? 0 : numberOf(last.number),
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** An id that the store had, from an epoch on. */
interface StoreId {
  readonly id: string;
  readonly firstEpoch: number;
}

/** The oldest first; a new file gets its first one. */
function storeIds(db: DatabaseSync, options: DatabaseOptions): readonly StoreId[] {
  const known = rows(db, "SELECT id, first_epoch FROM store ORDER BY first_epoch, rowid");
  if (known.length > 0) {
    return known.map((each) => ({ id: textOf(each.id), firstEpoch: numberOf(each.first_epoch) }));
  }
  return [addStoreId(db, options, 1)];
}

/** Gives the store an id that counts from an epoch on: epochs before it are another store's from now on. */
export function addStoreId(db: DatabaseSync, options: DatabaseOptions, firstEpoch: number): StoreId {
  const id = options.randomHex(STORE_ID_DIGITS);
  db.prepare("INSERT INTO store VALUES (?, ?)").run(id, firstEpoch);
  return { id, firstEpoch };
}

/** In order: the first is that of number 1. */
function epochNames(db: DatabaseSync, ids: readonly StoreId[]): readonly Epoch[] {
  return rows(db, "SELECT number, mark FROM epochs ORDER BY number").map((each) => {
    const number = numberOf(each.number);
    const id = ids.findLast(({ firstEpoch }) => firstEpoch <= number)?.id ?? "";
    return epochOf(id, number, textOf(each.mark));
  });
}

function marksOf(commit: ReturnType<typeof row>): Marks {
  if (commit === undefined) return { task: 1, outcome: 1, ended: 1, state: 1, group: 1 };
  return {
    task: numberOf(commit.next_task),
    outcome: numberOf(commit.next_outcome),
    ended: numberOf(commit.next_ended),
    state: numberOf(commit.next_state),
    group: numberOf(commit.next_group),
  };
}
