/**
 * The file that is open, and whether its name still means it.
 *
 * Promise: a commit into a file that nobody will find again is noticed before it is answered. SQLite itself goes on writing
 * into a file whose name was taken away, and makes an empty one where it opens it anew.
 *
 * @module
 */

/** The store's file was deleted or replaced while it was open. */
export class FileGone extends Error {
  constructor(path: string) {
    super(
      `${path} was deleted or replaced while the master had it open: what is committed now would be lost. ` +
        "Put the copy that is to count in its place, and start the master again",
    );
  }
}

interface Identity {
  readonly dev: number;
  readonly ino: number | null;
}

/** Knows which files were opened under a path: the database, and the log beside it that holds the newest commits. */
export class OpenFile {
  readonly #paths: readonly string[];
  readonly #known = new Map<string, Identity>();

  constructor(path: string) {
    this.#paths = [path, `${path}-wal`];
  }

  /** Before the file is opened once more: it must not be made anew. @throws FileGone */
  expect(): void {
    const [path] = this.#paths;
    if (path !== undefined && this.#known.has(path)) this.#look(path);
  }

  /** It has been written. @throws FileGone */
  check(): void {
    for (const path of this.#paths) this.#look(path);
  }

  /** SQLite makes another log with each connection. */
  connected(): void {
    const [path, log] = this.#paths;
    if (path !== undefined) this.#look(path);
    if (log !== undefined) this.#known.delete(log);
  }

  /** It is closed: from now on another may stand in its place. */
  forget(): void {
    this.#known.clear();
  }

  #look(path: string): void {
    const found = identityOf(path);
    if (found === undefined) throw new FileGone(path);
    const known = this.#known.get(path);
    if (known === undefined) this.#known.set(path, found);
    else if (known.dev !== found.dev || known.ino !== found.ino) throw new FileGone(path);
  }
}

function identityOf(path: string): Identity | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return { dev, ino };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
