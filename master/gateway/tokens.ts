/**
 * Tokens: who may do what.
 *
 * Promise: the only plaintext is one file that its owner alone can read; the master keeps hashes and compares them in
 * constant time; a token is never logged.
 * Not here: how a token travels (credentials.ts).
 *
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { type Role, ROLES } from "./roles.ts";

/** Random bytes of a token: 256 bits cannot be guessed, so a plain hash needs no salt and no slowness. */
const TOKEN_BYTES = 32;
/** The tokens' file in the data folder. */
export const TOKENS_FILE = "tokens.json";
/** Its owner reads and writes it, nobody else. */
const OWNER_ONLY = 0o600;

const tokenText = z.string().min(40).max(200).regex(/^[A-Za-z0-9_-]+$/);
const tokensFile = z.strictObject({
  admin: tokenText,
  submit: tokenText,
  worker: tokenText,
  view: tokenText,
});

/** A token for each role, in plain text: for the file, and for those who start the master to pass on. */
export type Tokens = z.output<typeof tokensFile>;

/** The tokens, or what a person must mend. */
export type TokensResult = { readonly ok: true; readonly tokens: Tokens } | {
  readonly ok: false;
  readonly message: string;
  readonly advice: string;
};

/**
 * Reads the tokens of a data folder; makes them on the first start.
 *
 * @param folder the master's data folder, which exists
 */
export async function openTokens(folder: string): Promise<TokensResult> {
  const path = `${folder}/${TOKENS_FILE}`;
  try {
    const text = await readIfThere(path);
    if (text === undefined) return { ok: true, tokens: await makeFile(path) };
    const tokens = tokensFile.safeParse(parseJson(text));
    if (!tokens.success) return damaged(path);
    // Someone may have copied the folder with looser rights.
    if (Deno.build.os !== "windows") await Deno.chmod(path, OWNER_ONLY);
    return { ok: true, tokens: tokens.data };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      message: `the tokens in ${path} cannot be used: ${reason}`,
      advice: "let the master read and write its data folder",
    };
  }
}

/** Knows tokens by their hashes. */
export class TokenCheck {
  readonly #hashes: readonly { readonly role: Role; readonly hash: Uint8Array }[];

  constructor(tokens: Tokens) {
    this.#hashes = ROLES.map((role) => ({ role, hash: sha256(tokens[role]) }));
  }

  /** The role that a token stands for. All hashes are compared, so that the time tells nothing. */
  roleOf(token: string): Role | undefined {
    const hash = sha256(token);
    let found: Role | undefined;
    for (const each of this.#hashes) if (timingSafeEqual(each.hash, hash)) found = each.role;
    return found;
  }
}

/** Makes new tokens. The prefix says what it is to whoever finds one where it should not be. */
export function newTokens(): Tokens {
  const make = (role: Role) => `espalier_${role}_${randomBytes(TOKEN_BYTES).toString("base64url")}`;
  return { admin: make("admin"), submit: make("submit"), worker: make("worker"), view: make("view") };
}

/** Complete or not at all: a crash in between must not leave half a file. */
async function makeFile(path: string): Promise<Tokens> {
  const tokens = newTokens();
  const partial = `${path}.${randomBytes(4).toString("hex")}.partial`;
  const text = `${JSON.stringify(tokens, null, 2)}\n`;
  await Deno.writeTextFile(partial, text, { mode: OWNER_ONLY, createNew: true });
  await Deno.rename(partial, path);
  return tokens;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function damaged(path: string): TokensResult {
  return {
    ok: false,
    message: `${path} does not hold a token for each of ${ROLES.join(", ")}`,
    advice: "restore it from a copy, or delete it: the master makes new tokens, and the old ones end",
  };
}

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
