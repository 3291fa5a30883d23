/**
 * Tokens: who may do what.
 *
 * Promise: the master keeps hashes and compares them in constant time; a token that was changed lets nobody in after
 * its end; a token is never logged.
 * Not here: how a token travels (credentials.ts), where tokens are kept (tokens_file.ts).
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { type Role, ROLES } from "./roles.ts";
import { sha256Hex, type Tokens } from "./tokens_file.ts";

/** Who came with a token. */
export interface Bearer {
  readonly role: Role;
  /** Tells tokens apart; nobody gets in with it. */
  readonly mark: string;
}

interface Known extends Bearer {
  readonly hash: Uint8Array;
  /** Milliseconds since 1970. */
  readonly untilMs: number;
}

/** Knows tokens by their hashes. */
export class TokenCheck {
  readonly #now: () => number;
  #known: readonly Known[] = [];
  #look = () => Promise.resolve();

  /** @param now milliseconds since 1970 */
  constructor(tokens: Tokens, now: () => number = Date.now) {
    this.#now = now;
    this.replace(tokens);
  }

  /** From now on these tokens count, and no others. */
  replace(tokens: Tokens): void {
    const present = ROLES.map((role) => known(role, sha256Hex(tokens[role]), Infinity));
    const ending = (tokens.ending ?? []).map(({ role, sha256, until }) =>
      known(role, sha256, Date.parse(until))
    );
    this.#known = [...present, ...ending];
  }

  /** @param look calls `replace` where the tokens have changed meanwhile */
  lookBy(look: () => Promise<void>): void {
    this.#look = look;
  }

  /** Asks once more after a look where nobody is found: a token may have been made a moment ago. */
  async find(bearer: () => Bearer | undefined): Promise<Bearer | undefined> {
    const found = bearer();
    if (found !== undefined) return found;
    await this.#look();
    return bearer();
  }

  /** Whom a token stands for. All hashes are compared, so that the time tells nothing. */
  bearerOf(token: string): Bearer | undefined {
    const hash = createHash("sha256").update(token).digest();
    const nowMs = this.#now();
    let found: Known | undefined;
    for (const each of this.#known) {
      if (timingSafeEqual(each.hash, hash) && each.untilMs > nowMs) found = each;
    }
    return found;
  }

  /** The role that a token stands for. */
  roleOf(token: string): Role | undefined {
    return this.bearerOf(token)?.role;
  }

  /** Whether who came with a token may stay. */
  holds({ mark }: Bearer): boolean {
    const nowMs = this.#now();
    return this.#known.some((each) => each.mark === mark && each.untilMs > nowMs);
  }
}

function known(role: Role, sha256: string, untilMs: number): Known {
  return { role, mark: sha256, hash: Uint8Array.fromHex(sha256), untilMs };
}
