/**
 * Puts artifacts to a master and gets them from there.
 *
 * Promise: a hash is checked at both ends; a break, a busy master or a full disk is waited out until the signal ends it, and
 * what had passed does not pass again; memory stays flat; a token goes in plain text to this machine alone.
 * Not here: how a request travels (http_exchange.ts), what its answer means (artifact_answers.ts).
 *
 * @module
 */
import {
  ArtifactError,
  ARTIFACTS_PATH,
  type ArtifactTransfer,
  type TransferOptions,
} from "../protocol/artifact_port.ts";
import { type Ask, Tries } from "./artifact_answers.ts";
import { getArtifact } from "./artifact_get.ts";
import { putArtifact } from "./artifact_put.ts";
import { exchange } from "./http_exchange.ts";
import { plainTextProblem } from "./plain_text.ts";

/** A master that neither takes nor sends anything for so long is left: long enough for a slow disk to write 64 MiB. */
const IDLE_DEFAULT_MS = 60_000;

/** What a transfer is given. */
export interface ArtifactTransferOptions {
  /** Masters, such as `http://127.0.0.1:4400`; they are tried in turn. */
  readonly urls: readonly string[];
  readonly token: string;
  /** The token as it is now, where it may have changed since the start; undefined where it cannot be read. */
  readonly freshToken?: (() => Promise<string | undefined>) | undefined;
  /** Authorities (PEM) that are trusted besides those of the system. */
  readonly caCerts?: readonly string[] | undefined;
  /** Sends the token in plain text to other machines too. */
  readonly insecure?: boolean | undefined;
  readonly idleMs?: number | undefined;
}

/**
 * A transfer to and from masters.
 *
 * @example
 * ```ts ignore
 * const ref = await artifactTransfer({ urls: ["http://127.0.0.1:4400"], token }).put("model.bin");
 * ```
 */
export function artifactTransfer(options: ArtifactTransferOptions): ArtifactTransfer {
  const { urls, freshToken } = options;
  if (urls.length === 0) throw new TypeError("a transfer needs the address of a master");
  const bases = urls.map(baseOf);
  let turn = 0;
  const asking = (signal: AbortSignal | undefined): Ask => async (request, use) => {
    const base = bases[turn % bases.length] ?? "";
    const problem = plainTextProblem(base, options.insecure ?? false);
    if (problem !== undefined) throw new ArtifactError("refused", `${problem.message}; ${problem.advice}`);
    const token = await freshToken?.().catch(() => undefined) ?? options.token;
    return await exchange({
      method: request.method,
      url: new URL(`${base}${ARTIFACTS_PATH}/${request.sha256}`),
      headers: { authorization: `Bearer ${token}`, ...request.headers },
      body: request.body,
    }, {
      caCerts: options.caCerts,
      idleMs: Math.max(options.idleMs ?? IDLE_DEFAULT_MS, request.idleMs ?? 0),
      signal,
    }, use);
  };
  const tries = ({ signal, failed }: TransferOptions) =>
    new Tries({ signal, failed, another: () => turn += 1, mayTokenChange: freshToken !== undefined });
  return {
    put: (path, given = {}) => putArtifact(path, asking(given.signal), tries(given), given.signal),
    get: (ref, path, given = {}) => getArtifact(ref, path, asking(given.signal), tries(given)),
  };
}

/** An address may be that of the socket. */
function baseOf(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  const isSecure = protocol === "https:" || protocol === "wss:";
  return `${isSecure ? "https:" : "http:"}//${host}${pathname.replace(/(\/socket)?\/*$/, "")}`;
}
