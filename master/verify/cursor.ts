/**
 * Sorted rows beside sorted rows: how tables of a million rows are looked at together with none of them in memory.
 *
 * @module
 */

/** Rows in the rising order of a key. */
export class Cursor<T> {
  readonly #rows: Iterator<T>;
  readonly #key: (row: T) => number;
  #next: IteratorResult<T>;

  constructor(rows: Iterable<T>, key: (row: T) => number) {
    this.#rows = rows[Symbol.iterator]();
    this.#key = key;
    this.#next = this.#rows.next();
  }

  /** Takes the rows whose key is less than this. */
  below(key: number): T[] {
    const taken: T[] = [];
    while (this.#next.done !== true && this.#key(this.#next.value) < key) {
      taken.push(this.#next.value);
      this.#next = this.#rows.next();
    }
    return taken;
  }

  /** Takes the rows of this key; those before it have been taken. */
  at(key: number): T[] {
    return this.#next.done !== true && this.#key(this.#next.value) === key ? this.below(key + 1) : [];
  }

  /** Takes all that is left. */
  rest(): T[] {
    return this.below(Infinity);
  }
}
