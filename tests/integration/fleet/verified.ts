/**
 * What `verify` says of a fleet's store.
 *
 * @module
 */
import { deepEqual, ok } from "node:assert/strict";
import { storeFile, type StoreReport, verifyStore } from "../../../master/verify/verify.ts";

/** Asserts that no promise is broken in a master's folder; the master may run. */
export function assertVerified(folder: string): StoreReport {
  const file = storeFile(folder);
  ok(file !== undefined, `there is no store in ${folder}`);
  const verified = verifyStore(file);
  ok(verified.ok, verified.ok ? "" : verified.message);
  const { report } = verified;
  deepEqual(report.checks.filter(({ violations }) => violations > 0), []);
  deepEqual(report.notChecked, []);
  return report;
}
