/**
 * What goes on after its attempt has ended, and is waited for when the executor closes.
 *
 * @module
 */

/** Work that nobody waits for before the close. None of it may reject. */
export class AtClose {
  readonly #work = new Set<Promise<unknown>>();

  add(work: Promise<unknown>): void {
    this.#work.add(work);
    void work.then(() => this.#work.delete(work));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#work);
  }
}
