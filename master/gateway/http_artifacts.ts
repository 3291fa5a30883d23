/**
 * Artifacts over HTTP: `PUT`, `GET` and `HEAD` at `/artifacts/<sha256>`.
 *
 * Promise: nobody without a token that suffices puts or gets anything; no body is read before its head is accepted; what
 * comes out is saved by a browser and never shown.
 * Not here: what is kept and how (master/artifacts).
 *
 * @module
 */
import { SHA256_PATTERN } from "../../shared/model/artifact.ts";
import { ARTIFACTS_PATH } from "../../shared/protocol/artifact_port.ts";
import { ARTIFACT_ANSWER_HEADER, UPLOAD_OFFSET_HEADER } from "../../shared/protocol/limits.ts";
import type { ArtifactRoom } from "../artifacts/artifact_room.ts";
import type { Refusal, UploadAnswer } from "../artifacts/room_answers.ts";
import { bearerOf } from "./credentials.ts";
import { isSameOrigin } from "./http_hosts.ts";
import { type ByteRange, rangeAsked, rangeSent } from "./http_ranges.ts";
import type { Role } from "./roles.ts";
import type { TokenCheck } from "./tokens.ts";

/** Who may add artifacts; whoever has a token may read them. */
const UPLOADERS: ReadonlySet<Role> = new Set<Role>(["admin", "submit", "worker"]);
/** No cookie is called so: what changes something needs its token in a header. */
const NO_COOKIE = "";
/** When to come again to a master that is busy with others. */
const RETRY_AFTER_SECONDS = 1;

const STATUS: Readonly<Record<Refusal["reason"], number>> = {
  busy: 503,
  under_way: 409,
  offset: 409,
  too_large: 413,
  wrong_size: 400,
  wrong_hash: 422,
  no_room: 507,
  stalled: 408,
  broken: 500,
};

/** Whether a path is one of these. */
export function isArtifactPath(path: string): boolean {
  return path.startsWith(`${ARTIFACTS_PATH}/`);
}

/** Answers requests about artifacts. */
export class ArtifactDesk {
  readonly #room: ArtifactRoom;
  readonly #check: TokenCheck;

  constructor(room: ArtifactRoom, check: TokenCheck) {
    this.#room = room;
    this.#check = check;
  }

  /** @param cookie the name of the one that logs browsers in */
  async answer(request: Request, cookie: string): Promise<Response> {
    const response = await this.#answer(request, cookie);
    response.headers.set(ARTIFACT_ANSWER_HEADER, "1");
    // Who is refused may still be sending.
    if (request.body !== null && !request.body.locked) await request.body.cancel().catch(() => {});
    return response;
  }

  async #answer(request: Request, cookie: string): Promise<Response> {
    const isUpload = request.method === "PUT";
    const bearer = await this.#check.find(() =>
      bearerOf(request, this.#check, isUpload ? NO_COOKIE : cookie)
    );
    if (bearer === undefined) {
      return say(401, "a token is needed, or the one that was sent is not known here");
    }
    if (!isSameOrigin(request)) return say(403, "the page that asks is not of this host");
    if (isUpload && !UPLOADERS.has(bearer.role)) {
      return say(403, `a token of the role ${bearer.role} adds no artifacts`);
    }
    const sha256 = new URL(request.url).pathname.slice(ARTIFACTS_PATH.length + 1);
    if (!SHA256_PATTERN.test(sha256)) {
      return say(400, "an artifact is named by the 64 hexadecimal digits of its SHA-256, in lower case");
    }
    return isUpload ? await this.#put(request, sha256) : await this.#get(request, sha256);
  }

  async #put(request: Request, sha256: string): Promise<Response> {
    const sent = rangeSent(request.headers);
    if (sent === undefined) {
      return say(411, "say how long it is: content-length, or content-range as in: bytes 0-99/100");
    }
    const { from, total } = sent;
    if (from === undefined || request.body === null) return answerOf(await this.#room.offer(sha256, total));
    return answerOf(await this.#room.upload({ sha256, total, from }, request.body));
  }

  async #get(request: Request, sha256: string): Promise<Response> {
    const total = await this.#room.sizeOf(sha256);
    if (total === undefined) return missing();
    const range = wanted(request, sha256, total);
    if (range === "unsatisfiable") {
      return say(416, `it has ${total} bytes`, { "content-range": `bytes */${total}` });
    }
    const { from, bytes } = range ?? { from: 0, bytes: total };
    const isHead = request.method === "HEAD";
    const body = isHead || total === 0 ? null : await this.#room.read(sha256, { from, bytes });
    if (body === undefined) return missing();
    if (body !== null && "state" in body) return answerOf(body);
    return new Response(body, {
      status: range === undefined || isHead ? 200 : 206,
      headers: {
        "content-type": "application/octet-stream",
        "content-length": String(isHead ? total : bytes),
        "content-disposition": `attachment; filename="${sha256}"`,
        // Who logs out must not find it in the browser; and nobody on the way may pack it.
        "cache-control": "private, no-cache, no-transform",
        "accept-ranges": "bytes",
        etag: `"${sha256}"`,
        ...(range === undefined || isHead
          ? {}
          : { "content-range": `bytes ${from}-${from + bytes - 1}/${total}` }),
      },
    });
  }
}

/** What it is asked for; all of it where the asker has another one begun. */
function wanted(
  { headers }: Request,
  sha256: string,
  total: number,
): ByteRange | "unsatisfiable" | undefined {
  const only = headers.get("if-range");
  return only === null || only === `"${sha256}"` ? rangeAsked(headers.get("range"), total) : undefined;
}

function answerOf(answer: UploadAnswer): Response {
  switch (answer.state) {
    case "there":
      return say(200, "it is there");
    case "kept":
      return say(201, "it is kept");
    case "unfinished":
      return say(202, `${answer.from} bytes are there: send those from there on`, {
        [UPLOAD_OFFSET_HEADER]: String(answer.from),
      });
    case "refused":
      return say(STATUS[answer.reason], answer.message, {
        ...(answer.from === undefined ? {} : { [UPLOAD_OFFSET_HEADER]: String(answer.from) }),
        ...(answer.reason === "busy" || answer.reason === "under_way"
          ? { "retry-after": String(RETRY_AFTER_SECONDS) }
          : {}),
      });
  }
}

function missing(): Response {
  return say(404, "the master has no such artifact");
}

function say(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${text}\n`, { status, headers });
}
