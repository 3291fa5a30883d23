/**
 * Watches the tokens' file, so that tokens are changed without a restart.
 *
 * Promise: within two looks a change counts, and a new token at once; a file that cannot be used changes nothing, and is
 * told once.
 *
 * @module
 */
import type { TokenCheck } from "./tokens.ts";
import { readTokens, TOKENS_FILE } from "./tokens_file.ts";

/** How often the file is looked at: one `stat`. */
export const TOKENS_LOOK_MS = 1_000;

/** Whom a watch tells. */
export interface TokensWatchOptions {
  readonly folder: string;
  readonly check: TokenCheck;
  /** After every look: tokens may have changed, or come to their end. */
  readonly looked: () => void;
  readonly log: (level: "info" | "warning", text: string) => void;
  readonly everyMs?: number;
}

/** Begins to watch. @returns ends it */
export function watchTokens(options: TokensWatchOptions): () => Promise<void> {
  const watch = new TokensWatch(options);
  let looking = watch.look();
  let next: Promise<void> | undefined;
  // However many ask, one look is under way and one waits.
  options.check.lookBy(() =>
    next ??= looking = looking.then(() => {
      next = undefined;
      return watch.look();
    })
  );
  const timer = setInterval(() => {
    looking = looking.then(() => watch.look());
  }, options.everyMs ?? TOKENS_LOOK_MS);
  return async () => {
    clearInterval(timer);
    watch.end();
    await looking;
  };
}

class TokensWatch {
  readonly #options: TokensWatchOptions;
  #seen: string | undefined;
  #isOver = false;

  constructor(options: TokensWatchOptions) {
    this.#options = options;
  }

  end(): void {
    this.#isOver = true;
  }

  async look(): Promise<void> {
    if (this.#isOver) return;
    const { folder, looked } = this.#options;
    const state = await stateOf(`${folder}/${TOKENS_FILE}`);
    const isFirst = this.#seen === undefined;
    // At first too: it may have changed since the master read it.
    if (state !== this.#seen) await this.#readAgain(isFirst);
    if (!this.#isOver) looked();
  }

  async #readAgain(isFirst: boolean): Promise<void> {
    const { folder, check, log } = this.#options;
    const read = await readTokens(folder);
    // Looked at after the reading, which may have taken rights back.
    this.#seen = await stateOf(`${folder}/${TOKENS_FILE}`);
    if (this.#isOver) return;
    if (read === "none") {
      return log("warning", `${TOKENS_FILE} is gone; the tokens that were in it still count`);
    }
    if (!read.ok) return log("warning", `${read.message}; the tokens as they were still count`);
    check.replace(read.tokens);
    if (isFirst) return;
    log(
      "info",
      `the tokens were changed; ${read.tokens.ending?.length ?? 0} old ones still let their bearers in`,
    );
  }
}

/** Differs whenever the file was written or replaced. */
async function stateOf(path: string): Promise<string> {
  try {
    const { mtime, ctime, size, ino } = await Deno.stat(path);
    return [mtime?.getTime(), ctime?.getTime(), size, ino].join(" ");
  } catch {
    return "none";
  }
}
