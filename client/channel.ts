/**
 * A channel: from calls to an async iterator.
 *
 * Promise: everything pushed comes out once, in order, and nothing waits longer than until it is asked for.
 *
 * @module
 */

interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: Error): void;
}

/** What is pushed at one end is iterated over at the other, by one reader. */
export class Channel<T> implements AsyncIterableIterator<T, undefined> {
  /** Called when the reader leaves before the end. */
  readonly #left: (() => void) | undefined;
  #items: T[] = [];
  /** How many of the items are read: shifting an array costs its length. */
  #read = 0;
  #end: { readonly error?: Error } | undefined;
  #waiters: Waiter<T>[] = [];

  constructor(left?: () => void) {
    this.#left = left;
  }

  push(item: T): void {
    if (this.#end !== undefined) return;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#items.push(item);
    else waiter.resolve({ done: false, value: item });
  }

  /** Nothing more comes: the reader ends after what is left, with the error where there is one. */
  close(error?: Error): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? {} : { error };
    for (const waiter of this.#waiters.splice(0)) this.#finish(waiter);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      const item = this.#items[this.#read];
      if (item !== undefined) {
        this.#forgetRead();
        resolve({ done: false, value: item });
      } else if (this.#end === undefined) this.#waiters.push({ resolve, reject });
      else this.#finish({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#items = [];
    this.#read = 0;
    this.close();
    this.#left?.();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #forgetRead(): void {
    this.#read += 1;
    if (this.#read < 1_024 && this.#read < this.#items.length) return;
    this.#items = this.#items.slice(this.#read);
    this.#read = 0;
  }

  #finish({ resolve, reject }: Waiter<T>): void {
    const error = this.#end?.error;
    if (error !== undefined) reject(error);
    else resolve({ done: true, value: undefined });
  }
}
