/**
 * A spec's folder on its way to the workers: packed, kept at the master, named in the spec.
 *
 * @module
 */
import { packTree } from "../../shared/platform/tar_pack.ts";
import type { ArtifactTransfer } from "../../shared/protocol/artifact_port.ts";
import type { SpecInput } from "../../shared/protocol/spec.ts";
import { type CodeLimits, type CodeListed, listCode } from "./code_list.ts";
import { relativeEvaluator } from "./code_paths.ts";
import { Failure, UsageError } from "./failure.ts";
import type { SpecLoaded } from "./spec_file.ts";
import { formatBytes } from "./table.ts";

/** A spec that passed its check. */
type GoodSpec = Extract<SpecLoaded, { readonly ok: true }>;

/** Whether the folder of a spec is needed elsewhere at all. */
export function doesTravel({ checked }: GoodSpec): boolean {
  return checked.code === "pack" && checked.evaluator.kind !== "builtin";
}

/**
 * Packs the folder of a spec and keeps it at the master, which may have it already.
 *
 * @returns the spec with the packed folder and paths relative to it; as it is where nothing travels
 * @throws UsageError where the folder cannot travel as it is, Failure where it could not be brought there
 */
export async function sendCode(
  loaded: GoodSpec,
  limits: CodeLimits,
  transfer: ArtifactTransfer,
  note: (message: string) => void,
): Promise<SpecInput> {
  if (!doesTravel(loaded)) return loaded.spec;
  const { folder, checked, spec } = loaded;
  const listed = await listForTravel(folder, limits);
  const evaluator = relativeEvaluator(checked.evaluator, folder, listed.entries);
  if (!evaluator.ok) throw new UsageError(`${loaded.file}: ${evaluator.message}`);
  const temporary = await Deno.makeTempDir({ prefix: "espalier-code-" });
  try {
    const pack = `${temporary}/code.tar`;
    await packTree(listed.entries, folder, pack);
    const codeArtifact = await transfer.put(pack);
    const files = listed.entries.filter(({ type }) => type !== "folder").length;
    note(
      `${files} files of ${folder} (${formatBytes(listed.bytes)}) go to the workers; --list-code shows them`,
    );
    const { sha256, bytes } = codeArtifact;
    return { ...spec, evaluator: evaluator.evaluator, codeArtifact: { sha256, bytes } };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new Failure(`the code in ${folder} could not be brought to the master: ${words}`);
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

/** Everything that travels. @throws UsageError where it cannot, or is too much */
export async function listForTravel(
  folder: string,
  limits: CodeLimits,
): Promise<Extract<CodeListed, { readonly ok: true }>> {
  const listed = await listCode(folder, limits);
  if (!listed.ok) throw new UsageError(listed.message);
  if (listed.tooMuch !== undefined) throw new UsageError(listed.tooMuch);
  return listed;
}
