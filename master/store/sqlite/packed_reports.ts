/**
 * Reports and checkpoints in the columns that cross to the store's thread.
 *
 * @module
 */
import type { ArtifactFile, ArtifactRef, Restore } from "../../../shared/model/artifact.ts";
import type { NewReport } from "../store.ts";
import type { Packer, Unpacker } from "./packing.ts";
import { REPORT_OF } from "./report_of.ts";

/** A report as it is stored. */
export interface RowReport {
  readonly number: number;
  readonly step: number;
  readonly metrics: string;
  readonly checkpoint: ArtifactRef | undefined;
  readonly file: ArtifactFile | undefined;
}

/** A checkpoint that an attempt goes on from, as it is stored. */
export interface RowRestore extends ArtifactRef {
  readonly epoch: string;
  readonly attempt: number;
  readonly step: number;
}

/** Writes a report. */
export function packReport(to: Packer, { number, step, metrics, checkpoint, file }: NewReport): void {
  to.number(number);
  to.number(step);
  to.text(JSON.stringify(metrics));
  to.number(
    (checkpoint === undefined ? 0 : REPORT_OF.checkpoint) + (file === undefined ? 0 : REPORT_OF.file),
  );
  if (checkpoint !== undefined) packArtifact(to, checkpoint);
  if (file === undefined) return;
  to.text(file.name);
  packArtifact(to, file);
}

/** Reads one. */
export function unpackReport(from: Unpacker): RowReport {
  const [number, step, metrics] = [from.number(), from.number(), from.text()];
  const tellsOf = from.number();
  const checkpoint = (tellsOf & REPORT_OF.checkpoint) > 0 ? unpackArtifact(from) : undefined;
  const file = (tellsOf & REPORT_OF.file) > 0 ? unpackFile(from) : undefined;
  return { number, step, metrics, checkpoint, file };
}

/** Writes the checkpoint that an attempt goes on from, where it does. */
export function packRestore(to: Packer, restore: Restore | undefined): void {
  to.number(restore === undefined ? 0 : 1);
  if (restore === undefined) return;
  to.name(restore.epoch);
  to.number(restore.attempt);
  to.number(restore.step);
  packArtifact(to, restore);
}

/** Reads it. */
export function unpackRestore(from: Unpacker): RowRestore | undefined {
  if (from.number() === 0) return undefined;
  return { epoch: from.text(), attempt: from.number(), step: from.number(), ...unpackArtifact(from) };
}

function unpackFile(from: Unpacker): ArtifactFile {
  return { name: from.text(), ...unpackArtifact(from) };
}

function packArtifact(to: Packer, { sha256, bytes }: ArtifactRef): void {
  to.text(sha256);
  to.number(bytes);
}

function unpackArtifact(from: Unpacker): ArtifactRef {
  return { sha256: from.text(), bytes: from.number() };
}
