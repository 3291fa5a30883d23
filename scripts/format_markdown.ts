/**
 * Markdown in the form that the gate asks for, so that what a script writes can be held against what is there.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);

/** The text as `deno fmt` would have it. */
export async function formatMarkdown(text: string): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--ext", "md", "-"],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
  });
  const formatter = command.spawn();
  const writer = formatter.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  return new TextDecoder().decode((await formatter.output()).stdout);
}
