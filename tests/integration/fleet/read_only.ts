/**
 * Files that not even their owner may write, though they are open: what a file system does that was made read-only.
 *
 * @module
 */

/** Files that can be released again. */
export interface ImmutableFiles {
  release(): Promise<void>;
}

/** Makes the files of a store immutable; undefined, with a word why, where this process or its file system cannot. */
export async function immutableFiles(folder: string): Promise<ImmutableFiles | undefined> {
  const files = ["espalier.db", "espalier.db-wal"].map((name) => `${folder}/${name}`);
  try {
    await chattr("+i", files);
  } catch (error) {
    console.log(`files that may not be written are not tested here: ${error}`);
    await chattr("-i", files).catch(() => {});
    return undefined;
  }
  return { release: () => chattr("-i", files) };
}

async function chattr(change: string, files: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("chattr", { args: [change, ...files] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}
