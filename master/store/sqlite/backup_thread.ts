/**
 * The entry of a backup's thread: copies one file and answers.
 *
 * @module
 */
import { backup, DatabaseSync } from "node:sqlite";

/** What is to be copied where. */
export interface BackupRequest {
  readonly source: string;
  readonly target: string;
}

/** The answer: an error, or nothing. */
export interface BackupAnswer {
  readonly error?: string;
}

/** All pages in one step: a copy in several steps begins anew after each commit. */
const PAGES_A_STEP = 0x7fffffff;

self.onmessage = async ({ data }: MessageEvent<BackupRequest>) => {
  self.postMessage(await copy(data));
};

async function copy({ source, target }: BackupRequest): Promise<BackupAnswer> {
  try {
    const db = new DatabaseSync(source, { readOnly: true });
    try {
      await backup(db, target, { rate: PAGES_A_STEP });
    } finally {
      db.close();
    }
    return {};
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
