/**
 * Bundles the status page into one file, which is kept beside its source.
 *
 * It is kept because the bundler is fetched when it is first used, and a master must start without the network.
 *
 * `deno run -A client/dashboard/bundle.ts` writes `page.js`; tests/browser checks that it is what the source makes.
 *
 * @module
 */

const HEADER =
  "// deno-fmt-ignore-file\n// deno-lint-ignore-file\n// Made from page.tsx by client/dashboard/bundle.ts.\n";

/** The file that the master serves. */
export const BUNDLE = new URL("page.js", import.meta.url);

if (import.meta.main) await Deno.writeTextFile(BUNDLE, await bundlePage());

/** The page's script. @throws Error with the bundler's words where the source does not bundle */
export async function bundlePage(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--minify",
      "--platform",
      "browser",
      new URL("page.tsx", import.meta.url).href,
    ],
    // Where deno.json is: it says what the names in the source stand for.
    cwd: new URL("../../", import.meta.url),
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return HEADER + new TextDecoder().decode(stdout);
}
