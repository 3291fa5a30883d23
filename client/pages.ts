/**
 * Answers that come a page at a time.
 *
 * @module
 */
import { PAGE_ROWS_MAX } from "../shared/protocol/limits.ts";
import { CommandFailed } from "./command_failed.ts";

/** Reads page after page until one is not full. @param read the next rows, at most so many */
export async function* pages<T>(
  read: (limit: number) => Promise<readonly T[]>,
): AsyncGenerator<readonly T[]> {
  let limit = PAGE_ROWS_MAX;
  for (;;) {
    const page = await read(limit).catch((error: unknown) => {
      // Rows with many metrics or long texts: fewer of them fit into an answer.
      if (error instanceof CommandFailed && error.code === "too_large" && limit > 1) return undefined;
      throw error;
    });
    if (page === undefined) {
      limit = limit >> 1;
      continue;
    }
    yield page;
    if (page.length < limit) return;
  }
}
