/**
 * The tokens' file: what is in it, and how it changes.
 *
 * Promise: it is whole or as it was, also after a crash of the machine; its owner alone can read it; tokens that are to
 * end are in it as hashes only.
 * Not here: who is let in by them (tokens.ts).
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { type Role, ROLES } from "./roles.ts";

/** Random bytes of a token: 256 bits cannot be guessed, so a plain hash needs no salt and no slowness. */
const TOKEN_BYTES = 32;
/** The tokens' file in the data folder. */
export const TOKENS_FILE = "tokens.json";
/** Its owner reads and writes it, nobody else. */
const OWNER_ONLY = 0o600;
/** Tokens that were changed and still let their bearers in; more at once are a mistake. */
export const ENDING_TOKENS_MAX = 64;

const tokenText = z.string().min(40).max(200).regex(/^[A-Za-z0-9_-]+$/);
const tokensFile = z.strictObject({
  admin: tokenText,
  submit: tokenText,
  worker: tokenText,
  view: tokenText,
  /** Tokens that were changed and end at a moment. */
  ending: z.array(z.strictObject({
    role: z.enum(ROLES),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    until: z.iso.datetime(),
  })).max(ENDING_TOKENS_MAX).optional(),
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
  const read = await readTokens(folder);
  if (read !== "none") return read;
  const tokens = newTokens();
  const written = await attempt(folder, () => writeWhole(folder, tokens));
  return written ?? { ok: true, tokens };
}

/** Reads the tokens of a data folder; `none` where there is no file. */
export async function readTokens(folder: string): Promise<TokensResult | "none"> {
  const path = `${folder}/${TOKENS_FILE}`;
  let text = "";
  const failed = await attempt(folder, async () => {
    text = await Deno.readTextFile(path);
    // Someone may have copied the folder with looser rights.
    if (Deno.build.os !== "windows") await Deno.chmod(path, OWNER_ONLY);
  });
  if (failed !== undefined) return failed.isMissing ? "none" : failed;
  const tokens = tokensFile.safeParse(parseJson(text));
  return tokens.success ? { ok: true, tokens: tokens.data } : damaged(path);
}

/** What a change of tokens is. */
export interface Rotation {
  readonly roles: readonly Role[];
  /** How long the present tokens of these roles let their bearers in. 0 ends those that were changed before as well. */
  readonly graceMs: number;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** Puts new tokens in the place of present ones. A running master notices by itself. */
export async function rotateTokens(folder: string, rotation: Rotation): Promise<TokensResult> {
  const read = await readTokens(folder);
  if (read === "none") {
    const message = `there are no tokens in ${folder}`;
    return { ok: false, message, advice: "name the data folder of a master with --data" };
  }
  if (!read.ok) return read;
  const tokens = rotated(read.tokens, rotation);
  if (tokens.ending !== undefined && tokens.ending.length > ENDING_TOKENS_MAX) {
    const message = `${ENDING_TOKENS_MAX} changed tokens still let their bearers in`;
    return { ok: false, message, advice: "end them at once with --now" };
  }
  return await attempt(folder, () => writeWhole(folder, tokens)) ?? { ok: true, tokens };
}

function rotated(tokens: Tokens, { roles, graceMs, nowMs }: Rotation): Tokens {
  const until = new Date(nowMs + graceMs).toISOString();
  const before = (tokens.ending ?? []).filter((each) =>
    Date.parse(each.until) > nowMs && (graceMs > 0 || !roles.includes(each.role))
  );
  const ending = graceMs > 0 ? roles.map((role) => ({ role, sha256: sha256Hex(tokens[role]), until })) : [];
  const fresh = newTokens();
  const changed = { ...tokens };
  for (const role of roles) changed[role] = fresh[role];
  return { ...changed, ending: [...before, ...ending] };
}

/** Makes new tokens. The prefix says what it is to whoever finds one where it should not be. */
export function newTokens(): Tokens {
  const make = (role: Role) => `espalier_${role}_${randomBytes(TOKEN_BYTES).toString("base64url")}`;
  return { admin: make("admin"), submit: make("submit"), worker: make("worker"), view: make("view") };
}

/** The hash of a token, as it stands in the file. */
export function sha256Hex(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Complete or not at all: neither a crash nor a power cut in between may leave half a file, or none. */
async function writeWhole(folder: string, tokens: Tokens): Promise<void> {
  const path = `${folder}/${TOKENS_FILE}`;
  const partial = `${path}.${randomBytes(4).toString("hex")}.partial`;
  const text = new TextEncoder().encode(`${JSON.stringify(tokens, null, 2)}\n`);
  try {
    using file = await Deno.open(partial, { write: true, createNew: true, mode: OWNER_ONLY });
    for (let from = 0; from < text.length;) from += await file.write(text.subarray(from));
    await file.sync();
    await Deno.rename(partial, path);
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    throw error;
  }
  if (Deno.build.os === "windows") return;
  using directory = await Deno.open(folder, { read: true });
  await directory.sync();
}

/** Does something to the file; answers why it could not be done. */
async function attempt(folder: string, action: () => Promise<void>) {
  try {
    await action();
    return undefined;
  } catch (error) {
    return {
      ok: false,
      isMissing: error instanceof Deno.errors.NotFound,
      message: `the tokens in ${folder}/${TOKENS_FILE} cannot be used: ${
        error instanceof Error ? error.message : String(error)
      }`,
      advice: "let the master read and write its data folder",
    } as const;
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
    advice:
      "restore it from a copy, or delete it: the master makes new tokens at its next start, and the old ones end",
  };
}
