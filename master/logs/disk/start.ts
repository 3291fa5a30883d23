/**
 * Logs of a master over a folder of its disk.
 *
 * @module
 */
import type { LogLevel } from "../../../shared/actor/actor.ts";
import { LogBook } from "../log_book.ts";
import type { Logs } from "../logs.ts";
import { DiskLogFiles } from "./disk_log_files.ts";
import { LogRetention, LOGS_KEPT_MS_DEFAULT, LOGS_LIMIT_BYTES_DEFAULT } from "./retention.ts";

/** What logs are kept with. */
export interface DiskLogsOptions {
  readonly folder: string;
  readonly limitBytes?: number | undefined;
  readonly keptMs?: number | undefined;
  readonly say: (level: LogLevel, text: string) => void;
}

/** Logs that are being kept. */
export interface DiskLogs {
  readonly logs: Logs;
  /** Once nothing is being written any more. */
  close(): Promise<void>;
}

/** Begins to keep logs. */
export function startLogs({ folder, limitBytes, keptMs, say }: DiskLogsOptions): DiskLogs {
  const files = new DiskLogFiles(folder, (bytes) => retention.wrote(bytes));
  const retention = new LogRetention({
    folder,
    limitBytes: limitBytes ?? LOGS_LIMIT_BYTES_DEFAULT,
    keptMs: keptMs ?? LOGS_KEPT_MS_DEFAULT,
    isOpen: (task) => files.isOpen(task),
    say: (text) => say("warning", text),
  });
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const book = new LogBook({
    files,
    now: () => performance.now(),
    wallClock: () => Date.now(),
    after: (delayMs, call) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        call();
      }, delayMs);
      timers.add(timer);
    },
    say,
  });
  retention.start();
  return {
    logs: book,
    close: async () => {
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([files.close(), retention.close()]);
    },
  };
}
