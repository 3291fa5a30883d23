/**
 * `tokens`: changes the tokens of a master on this machine.
 *
 * Not here: what tokens are for (docs/security.md); no verb prints one.
 *
 * @module
 */
import { Argument, type Command } from "commander";
import { DATA_FOLDER_DEFAULT, spanOption } from "../arguments.ts";
import type { CliContext } from "../context.ts";
import { Failure, UsageError } from "../failure.ts";
import { type OutputForm, outputOption, printAnswer } from "../output.ts";
import { TOKEN_ROLES, type TokenRoleName } from "../roles.ts";
import { formatDuration } from "../../../shared/protocol/duration.ts";

/** How long a token that was changed still lets its bearers in, unless told: time to tell every machine. */
export const TOKEN_GRACE_DEFAULT_MS = 3_600_000;
/** A longer time is a mistake: the old token would be as good as the new one. */
const TOKEN_GRACE_MAX_MS = 30 * 86_400_000;

interface TokensVerbOptions {
  readonly data?: string;
  readonly grace: number;
  readonly now?: boolean;
  readonly output: OutputForm;
}

/** Adds the verb. */
export function addTokensVerb(program: Command, context: CliContext): void {
  program.command("tokens")
    .description("change the tokens of a master on this machine, while it runs or not")
    .addArgument(new Argument("<action>", "rotate: make new tokens").choices(["rotate"]))
    .addArgument(
      new Argument("[roles...]", `of which roles: ${TOKEN_ROLES.join(", ")}; all of them where none is named`)
        .choices(TOKEN_ROLES),
    )
    .option("--data <folder>", `the master's data folder (ESPALIER_DATA; default: ${DATA_FOLDER_DEFAULT})`)
    .addOption(
      spanOption(
        "--grace <duration>",
        "how long the old tokens still let their bearers in",
        TOKEN_GRACE_DEFAULT_MS,
      ),
    )
    .option("--now", "end the old tokens at once, those that were changed before too")
    .addOption(outputOption())
    .action((_action: string, roles: readonly TokenRoleName[], options: TokensVerbOptions) =>
      rotate(roles, options, context)
    );
}

async function rotate(
  named: readonly TokenRoleName[],
  { data, grace, now, output }: TokensVerbOptions,
  { terminal, roles }: CliContext,
): Promise<void> {
  if (grace > TOKEN_GRACE_MAX_MS) {
    throw new UsageError(`--grace is at most ${formatDuration(TOKEN_GRACE_MAX_MS)}`);
  }
  const folder = data ?? terminal.env("ESPALIER_DATA") ?? DATA_FOLDER_DEFAULT;
  const changed = named.length === 0 ? TOKEN_ROLES : [...new Set(named)];
  const graceMs = now === true ? 0 : grace;
  const problem = await roles.rotateTokens(folder, changed, graceMs);
  if (problem !== undefined) throw new Failure(problem);
  printAnswer(terminal, output, {
    json: { rotated: changed, graceMs, file: `${folder}/tokens.json` },
    table: () => wordsOf(changed, graceMs, folder),
    quiet: () => `${folder}/tokens.json`,
  });
}

function wordsOf(roles: readonly TokenRoleName[], graceMs: number, folder: string): string {
  const end = graceMs === 0
    ? "the old ones end as soon as a running master notices, within two seconds"
    : `the old ones end in ${formatDuration(graceMs)}: give the new ones to those who need them until then`;
  return `new tokens for ${roles.join(", ")} are in ${folder}/tokens.json; ${end}`;
}
