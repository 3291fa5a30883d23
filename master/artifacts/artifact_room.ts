/**
 * The room of artifacts: bytes on the master's disk, named by their SHA-256.
 *
 * Promise: what is answered as kept is whole, has its hash and is durable; one upload of an artifact is written at a time,
 * and what it brought can be continued by anyone; there is a bound on transfers, on silence and on bytes.
 * Not here: HTTP and roles (gateway/http_artifacts.ts), what nobody needs any more (cleaning.ts).
 *
 * @module
 */
import { ArtifactFolder } from "./artifact_folder.ts";
import { Download } from "./download.ts";
import { diskRefusal, type Refusal, refusal, type UploadAnswer } from "./room_answers.ts";
import { RoomSpace } from "./room_space.ts";
import { Unfinished } from "./unfinished.ts";
import { type Body, Upload, type UploadAsk } from "./upload.ts";

/** The largest artifact, unless told. */
export const ARTIFACT_BYTES_MAX_DEFAULT = 64 * 1024 ** 3;
/** Uploads at a time: each takes 256 KiB and two file handles. */
export const UPLOADS_MAX = 64;
/** Downloads at a time. */
export const DOWNLOADS_MAX = 64;
/** A transfer whose peer neither sends nor takes anything for so long is ended. */
export const TRANSFER_IDLE_MS = 30_000;
/** An upload that was silent for so long makes way for another one of the same artifact. */
export const GIVE_WAY_AFTER_MS = 3_000;

/** How a room is opened. */
export interface RoomOptions {
  readonly folder: string;
  readonly artifactBytesMax?: number | undefined;
  /** By default the disk is the only limit. */
  readonly artifactsBytesMax?: number | undefined;
  readonly uploadsMax?: number | undefined;
  readonly unfinishedMax?: number | undefined;
  readonly downloadsMax?: number | undefined;
  readonly idleMs?: number | undefined;
  readonly giveWayAfterMs?: number | undefined;
}

/** Opens a room; what is in its folder stays. @throws where the disk does not allow it */
export async function openArtifactRoom(options: RoomOptions): Promise<ArtifactRoom> {
  const folder = new ArtifactFolder(options.folder);
  await folder.open();
  const space = new RoomSpace(options.folder, {
    artifactBytesMax: options.artifactBytesMax ?? ARTIFACT_BYTES_MAX_DEFAULT,
    artifactsBytesMax: options.artifactsBytesMax ?? Infinity,
  });
  if (space.counts) { for await (const { bytes } of folder.all()) space.add(bytes); }
  return new ArtifactRoom(folder, space, options);
}

/** A room that is open. */
export class ArtifactRoom {
  readonly folder: ArtifactFolder;
  readonly #space: RoomSpace;
  readonly #options: RoomOptions;
  readonly #uploads = new Map<string, { readonly upload: Upload; readonly over: Promise<unknown> }>();
  readonly #downloads = new Set<Download>();
  readonly #unfinished: Unfinished;
  readonly #watch: ReturnType<typeof setInterval>;
  #isClosed = false;

  constructor(folder: ArtifactFolder, space: RoomSpace, options: RoomOptions) {
    this.folder = folder;
    this.#space = space;
    this.#options = options;
    this.#unfinished = new Unfinished(folder, {
      most: options.unfinishedMax,
      isUnderWay: (sha256) => this.#uploads.has(sha256),
    });
    const idleMs = options.idleMs ?? TRANSFER_IDLE_MS;
    this.#watch = setInterval(() => this.#endSilent(idleMs), Math.min(1_000, idleMs));
  }

  /** How many bytes an artifact has; undefined where there is none. */
  async sizeOf(sha256: string): Promise<number | undefined> {
    return await this.folder.sizeOf(sha256);
  }

  /** What an upload would be answered, before anything is sent. What is there becomes young again. */
  async offer(sha256: string, total: number): Promise<UploadAnswer> {
    try {
      const known = await this.#known(sha256, total);
      if (known !== undefined) return known;
      const from = Math.min(await this.folder.unfinishedSizeOf(sha256), total);
      const problem = this.#underWay(sha256) ?? await this.#roomFor(sha256, total, total - from);
      if (problem !== undefined || from < total) return problem ?? { state: "unfinished", from };
      // Nothing is to be sent any more: an empty one, or one whose last step did not come about.
      return await this.upload({ sha256, total, from }, undefined);
    } catch (error) {
      return diskRefusal(error);
    }
  }

  /** Takes an upload in. The body is read to its end, or not at all, or cancelled. */
  async upload(ask: UploadAsk, body: Body | undefined): Promise<UploadAnswer> {
    const answer = await this.#admit(ask, body);
    // What was not read is not wanted.
    if (body?.locked === false) await body.cancel().catch(() => {});
    return answer;
  }

  /**
   * Reads an artifact.
   *
   * @param range the first byte and how many, within the artifact
   * @returns undefined where there is none
   */
  async read(
    sha256: string,
    range: { readonly from: number; readonly bytes: number },
  ): Promise<Body | Refusal | undefined> {
    if (this.#isClosed || this.#downloads.size >= (this.#options.downloadsMax ?? DOWNLOADS_MAX)) {
      return this.#busy("downloads");
    }
    let file: Deno.FsFile;
    try {
      // Between here and the set of downloads nothing waits: the bound holds.
      file = Deno.openSync(this.folder.path(sha256));
      file.seekSync(range.from, Deno.SeekMode.Start);
    } catch (error) {
      return await Promise.resolve(error instanceof Deno.errors.NotFound ? undefined : diskRefusal(error));
    }
    const download: Download = new Download(file, range.bytes, () => this.#downloads.delete(download));
    if (range.bytes > 0) this.#downloads.add(download);
    return download.body;
  }

  /** Removes an artifact that was not touched since a time. @returns its bytes; undefined where it stays */
  async removeUntouched(sha256: string, sinceMs: number): Promise<number | undefined> {
    const bytes = await this.folder.removeUntouched(sha256, sinceMs);
    if (bytes !== undefined) this.#space.add(-bytes);
    return bytes;
  }

  /** Removes what was left of an upload, unless it is under way. */
  async removeUnfinished(sha256: string): Promise<boolean> {
    if (this.#uploads.has(sha256)) return false;
    await this.folder.removeUnfinished(sha256);
    return true;
  }

  /** Ends all transfers and takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#watch);
    for (const download of this.#downloads) download.end("the master stops");
    for (const { upload } of this.#uploads.values()) upload.end(this.#busy("uploads"));
    await Promise.all([...this.#uploads.values()].map(({ over }) => over));
  }

  async #admit(ask: UploadAsk, body: Body | undefined): Promise<UploadAnswer> {
    try {
      const known = await this.#known(ask.sha256, ask.total);
      if (known !== undefined) return known;
      await this.#makeWay(ask.sha256);
      // What is longer was another's mistake, and is cut off.
      const there = Math.min(await this.folder.unfinishedSizeOf(ask.sha256), ask.total);
      const wrongOffset = ask.from !== 0 && ask.from !== there;
      const problem = wrongOffset
        ? refusal("offset", `${there} bytes of this upload are there: go on from there`, there)
        : await this.#roomFor(ask.sha256, ask.total, ask.total - ask.from);
      if (problem === undefined && there === 0) await this.#unfinished.makePlace();
      // After the last wait: whoever came first meanwhile is the one that uploads.
      return problem ?? this.#underWay(ask.sha256) ?? this.#busyUploads() ?? await this.#run(ask, body);
    } catch (error) {
      return diskRefusal(error);
    }
  }

  async #run(ask: UploadAsk, body: Body | undefined): Promise<UploadAnswer> {
    const upload = new Upload(ask, this.folder, this.#space);
    const over = upload.run(body);
    this.#uploads.set(ask.sha256, { upload, over });
    try {
      const answer = await over;
      if (answer.state === "kept") this.#space.add(ask.total);
      return answer;
    } finally {
      this.#uploads.delete(ask.sha256);
    }
  }

  /** What is known without looking at what is unfinished. */
  async #known(sha256: string, total: number): Promise<UploadAnswer | undefined> {
    if (this.#isClosed) return this.#busy("uploads");
    const bytes = await this.folder.sizeOf(sha256);
    if (bytes === undefined || !this.folder.touch(sha256)) return this.#space.sizeProblem(total);
    if (bytes === total) return { state: "there" };
    return refusal("wrong_size", `the artifact of this hash has ${bytes} bytes, not ${total}`);
  }

  async #roomFor(sha256: string, total: number, missing: number): Promise<Refusal | undefined> {
    for (;;) {
      const problem = await this.#spaceProblem(total, missing);
      if (problem === undefined || !await this.#unfinished.removeRested(sha256)) return problem;
    }
  }

  async #spaceProblem(total: number, missing: number): Promise<Refusal | undefined> {
    const promised = { missing: 0, total: 0 };
    for (const { upload } of this.#uploads.values()) {
      promised.missing += upload.missing;
      promised.total += upload.total;
    }
    return await this.#space.problem(total, missing, promised);
  }

  /** A peer that went away without a word must not keep away the one that comes in its place. */
  async #makeWay(sha256: string): Promise<void> {
    const other = this.#uploads.get(sha256);
    const afterMs = this.#options.giveWayAfterMs ?? GIVE_WAY_AFTER_MS;
    if (other === undefined || other.upload.silentForMs(performance.now()) < afterMs) return;
    other.upload.end(refusal("stalled", "nothing came for a while, and another upload took its place"));
    await other.over;
  }

  #underWay(sha256: string): Refusal | undefined {
    const other = this.#uploads.get(sha256);
    const afterMs = this.#options.giveWayAfterMs ?? GIVE_WAY_AFTER_MS;
    if (other === undefined || other.upload.silentForMs(performance.now()) >= afterMs) return undefined;
    return refusal("under_way", "another upload of this artifact is under way: ask again in a moment");
  }

  #busyUploads(): Refusal | undefined {
    const isBusy = this.#isClosed || this.#uploads.size >= (this.#options.uploadsMax ?? UPLOADS_MAX);
    return isBusy ? this.#busy("uploads") : undefined;
  }

  #busy(what: "uploads" | "downloads"): Refusal {
    return refusal(
      "busy",
      this.#isClosed ? "the master stops" : `the master has as many ${what} as it takes`,
    );
  }

  #endSilent(idleMs: number): void {
    const nowMs = performance.now();
    for (const { upload } of this.#uploads.values()) {
      if (upload.silentForMs(nowMs) < idleMs) continue;
      upload.end(
        refusal("stalled", `nothing came for ${idleMs / 1_000} s: what came before is kept to go on from`),
      );
    }
    for (const download of this.#downloads) {
      if (download.silentForMs(nowMs) >= idleMs) download.end("nothing was taken for too long");
    }
  }
}
