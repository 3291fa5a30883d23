/**
 * Where the master is, and with which token one may speak to it.
 *
 * A master writes `master.json` ({"url", "pid"}) and `tokens.json` (a token for each role) into its data folder; whoever
 * may read that folder needs nothing else.
 *
 * @module
 */
import { plainTextProblem } from "../shared/platform/plain_text.ts";
import { SOCKET_PATH } from "../shared/protocol/limits.ts";
import { isRecord } from "../shared/space/problem.ts";
import { CommandFailed } from "./command_failed.ts";

/** A master to connect to. */
export interface MasterAddress {
  /** URLs of its socket, `ws://` or `wss://`. */
  readonly masters: readonly string[];
  readonly token: string;
}

/** How a master can be named. */
export interface MasterWords {
  /** Addresses such as `http://10.0.0.5:4400`, tried in turn. */
  readonly masters?: readonly string[];
  /** One address. */
  readonly url?: string;
  readonly token?: string;
  /** A file with one token, or a master's `tokens.json`. */
  readonly tokenFile?: string;
  /** The data folder of a master on this machine. */
  readonly dataFolder?: string;
  /** Authorities (PEM) that are trusted besides those of the system, where a master's certificate is signed by one's own. */
  readonly caCerts?: readonly string[];
  /** Sends the token in plain text to other machines too: for a network that is one's own. */
  readonly insecure?: boolean;
}

/** What a token allows; a client takes the first of these that a tokens file has. */
export const CLIENT_ROLES = ["admin", "submit", "view"] as const;
export type TokenRole = (typeof CLIENT_ROLES)[number] | "worker";

/**
 * Finds the master and a token.
 *
 * @param roles which token to take out of a `tokens.json`, the best first
 * @throws CommandFailed that says what is missing
 */
export async function findMaster(
  words: MasterWords,
  roles: readonly TokenRole[] = CLIENT_ROLES,
): Promise<MasterAddress> {
  const given = words.masters ?? (words.url === undefined ? [] : [words.url]);
  const masters = given.length > 0 ? given : [await localMaster(words.dataFolder)];
  const urls = masters.map(socketUrl);
  for (const url of urls) {
    const problem = plainTextProblem(url, words.insecure ?? false);
    if (problem !== undefined) throw new CommandFailed({ code: "insecure_master", ...problem });
  }
  return { masters: urls, token: await findToken(words, roles) };
}

/** Reads the token again, for it may have been changed since; undefined where it did not come from a file. */
export function freshToken(
  words: MasterWords,
  roles: readonly TokenRole[] = CLIENT_ROLES,
): (() => Promise<string | undefined>) | undefined {
  if (words.token !== undefined && words.token !== "") return undefined;
  const path = words.tokenFile ?? (words.dataFolder === undefined ? undefined : tokensOf(words.dataFolder));
  return path === undefined ? undefined : () => tokenIn(path, roles);
}

/**
 * The address of a master's socket.
 *
 * @param text `host:port`, or a URL beginning with http, https, ws or wss
 * @throws CommandFailed where it is none
 */
export function socketUrl(text: string): string {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.parse(withScheme.replace(/^http/i, "ws"));
  if (url === null || (url.protocol !== "ws:" && url.protocol !== "wss:") || url.hostname === "") {
    throw new CommandFailed({
      code: "bad_address",
      message: `"${text}" is no address of a master`,
      advice: "write it like http://127.0.0.1:4400",
    });
  }
  if (url.pathname === "/") url.pathname = SOCKET_PATH;
  return url.href;
}

/** What a master on this machine has written about itself; undefined where none has. */
export async function readLocalMaster(
  dataFolder: string,
): Promise<{ readonly url: string; readonly pid: number } | undefined> {
  const json = await readJson(`${dataFolder}/master.json`);
  if (!isRecord(json) || typeof json["url"] !== "string" || typeof json["pid"] !== "number") return undefined;
  return { url: json["url"], pid: json["pid"] };
}

/** The tokens of a data folder, by role; undefined where there are none to be read. */
export async function readTokens(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const json = await readJson(path);
  return isRecord(json) ? json : undefined;
}

async function localMaster(dataFolder: string | undefined): Promise<string> {
  if (dataFolder === undefined) {
    throw new CommandFailed({
      code: "no_master",
      message: "no master was named",
      advice: "give its address, or the data folder of a master on this machine",
    });
  }
  const local = await readLocalMaster(dataFolder);
  if (local !== undefined) return local.url;
  throw new CommandFailed({
    code: "no_master",
    message: `no master runs in ${dataFolder}`,
    advice:
      `start one (espalier master --data ${dataFolder}), or name one with --master URL or ESPALIER_MASTER`,
  });
}

async function findToken(words: MasterWords, roles: readonly TokenRole[]): Promise<string> {
  if (words.token !== undefined && words.token !== "") return words.token;
  if (words.tokenFile !== undefined) {
    const token = await tokenIn(words.tokenFile, roles);
    if (token !== undefined) return token;
    throw new CommandFailed({
      code: "no_token",
      message: `${words.tokenFile} cannot be read, or holds no token of role ${roles.join(" or ")}`,
      advice: "it should hold a token alone, or be the tokens.json of the master's data folder",
    });
  }
  const token = words.dataFolder === undefined ? undefined : await tokenIn(tokensOf(words.dataFolder), roles);
  if (token !== undefined) return token;
  throw new CommandFailed({
    code: "no_token",
    message: "there is no token to speak to the master with",
    advice: roles.includes("worker")
      ? 'set ESPALIER_TOKEN or give --token-file: the value of "worker" in tokens.json of the master\'s data folder'
      : "set ESPALIER_TOKEN or give --token-file; the master's tokens are in tokens.json of its data folder",
  });
}

function tokensOf(dataFolder: string): string {
  return `${dataFolder}/tokens.json`;
}

async function tokenIn(path: string, roles: readonly TokenRole[]): Promise<string | undefined> {
  const text = (await readText(path))?.trim();
  if (text === undefined || text === "") return undefined;
  if (!text.startsWith("{")) return text;
  const tokens = await readTokens(path);
  for (const role of roles) {
    const token = tokens?.[role];
    if (typeof token === "string") return token;
  }
  return undefined;
}

async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return undefined;
  }
}
