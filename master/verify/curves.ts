/**
 * Whether the curves that attempts reported are whole.
 *
 * @module
 */
import { ATTEMPT_REPORTS_MAX } from "../store/limits.ts";
import type { Findings } from "./findings.ts";
import type { ReportRow } from "./store_rows.ts";

/** Checks reports. @param reports by task, attempt and number */
export function checkCurves(
  reports: Iterable<ReportRow>,
  newestEpoch: number,
  nextTask: number,
  findings: Findings,
): void {
  let before: ReportRow | undefined;
  for (const report of reports) {
    const isSame = before !== undefined && before.task === report.task && before.epoch === report.epoch &&
      before.attempt === report.attempt;
    const isOurs = report.task >= 1 && report.task < nextTask && report.epoch >= 1 &&
      report.epoch <= newestEpoch &&
      report.attempt >= 1;
    const follows = doesFollow(report, isSame ? before : undefined);
    const last = before;
    findings.expect(
      "curve_whole",
      isOurs && follows && isMeasured(report.metrics),
      () => [`a report of task row ${report.task} does not follow the one before`, {
        report: { ...report },
        before: isSame ? { ...last } : null,
      }],
    );
    before = report;
  }
}

function doesFollow({ number, step }: ReportRow, before: ReportRow | undefined): boolean {
  if (number === null) return before === undefined || step > before.step;
  const last = before?.number ?? 0;
  // What an evaluator says beyond is not kept, but for checkpoints and files.
  return number === last + 1 || (number > last && last >= ATTEMPT_REPORTS_MAX);
}

function isMeasured(json: string): boolean {
  try {
    const metrics: unknown = JSON.parse(json);
    return typeof metrics === "object" && metrics !== null && Object.values(metrics).every(Number.isFinite);
  } catch {
    return false;
  }
}
