/**
 * How to start this program again, as another process.
 *
 * @module
 */

/**
 * A command that runs this program.
 *
 * @param program the module that this process was started with
 */
export function ownProgram(
  program: string,
  args: readonly string[],
  options: Omit<Deno.CommandOptions, "args">,
): Deno.Command {
  // A compiled program is its own executable; else it is Deno's, and must be told what to run.
  const before = Deno.build.standalone ? [] : ["run", "-A", "--quiet", program];
  return new Deno.Command(Deno.execPath(), { ...options, args: [...before, ...args] });
}
