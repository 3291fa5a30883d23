/**
 * A verb's connection to the master: which one, and for how long.
 *
 * A flag goes before an environment variable, and an address before a data folder.
 *
 * @module
 */
import { type Command, Option } from "commander";
import { Client, connect } from "../mod.ts";
import type { MasterWords } from "../find_master.ts";
import { addresses, DATA_FOLDER_DEFAULT } from "./arguments.ts";
import { UsageError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** How long a verb waits for a master that does not answer. */
export const VERB_CONNECT_WITHIN_MS = 5_000;

/** What every verb for a running master takes. */
export interface SessionOptions {
  readonly master?: readonly string[];
  readonly data?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly insecure?: boolean;
}

/**
 * Adds the options that name a master.
 *
 * @param dataMeaning what `--data` is to this verb
 */
export function withMasterOptions(
  command: Command,
  dataMeaning = "the data folder of a master on this machine (ESPALIER_DATA)",
): Command {
  return command
    .addOption(new Option("--master <urls>", "the master's address, or several with commas (ESPALIER_MASTER)")
      .argParser(addresses))
    .option("--data <folder>", dataMeaning)
    .option("--token-file <file>", "a file with the token (or set ESPALIER_TOKEN)")
    .option("--ca <file>", "an authority (PEM) that may sign the master's certificate (ESPALIER_CA)")
    .option("--insecure", "send the token to another machine without TLS");
}

/** Where the options and the environment say that the master is. */
export function masterWords(options: SessionOptions, terminal: Terminal): MasterWords {
  const dataFolder = options.data ?? terminal.env("ESPALIER_DATA") ?? DATA_FOLDER_DEFAULT;
  const masters = mastersOf(options, terminal);
  const token = options.tokenFile === undefined ? terminal.env("ESPALIER_TOKEN") : undefined;
  return {
    dataFolder,
    ...(masters === undefined ? {} : { masters }),
    ...(token === undefined ? {} : { token }),
    ...(options.tokenFile === undefined ? {} : { tokenFile: options.tokenFile }),
    ...authorities(options, terminal),
    insecure: options.insecure ?? false,
  };
}

/** Certificates as they stand in a file: text that has none would be passed over in silence. */
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/;

function authorities(options: SessionOptions, terminal: Terminal): Pick<MasterWords, "caCerts"> {
  const path = options.ca ?? terminal.env("ESPALIER_CA");
  if (path === undefined || path === "") return {};
  const pem = readAuthority(path);
  if (!CERTIFICATE.test(pem)) {
    throw new UsageError(`${path} holds no certificate: --ca takes the authority's, as PEM`);
  }
  try {
    Deno.createHttpClient({ caCerts: [pem] }).close();
  } catch (error) {
    throw new UsageError(`the certificate in ${path} cannot be used: ${wordsOf(error)}`);
  }
  return { caCerts: [pem] };
}

function readAuthority(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new UsageError(`--ca ${path} cannot be read: ${wordsOf(error)}`);
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The masters that were named; undefined where the one in the data folder is meant. */
export function mastersOf(options: SessionOptions, terminal: Terminal): readonly string[] | undefined {
  if (options.master !== undefined) return options.master;
  // Who names a folder on the command line does not mean the address of an environment.
  if (options.data !== undefined) return undefined;
  const fromEnvironment = terminal.env("ESPALIER_MASTER");
  return fromEnvironment === undefined ? undefined : addresses(fromEnvironment);
}

/** The data folder that was named, or the usual one. */
export function dataFolderOf({ data }: SessionOptions, terminal: Terminal): string {
  return data ?? terminal.env("ESPALIER_DATA") ?? DATA_FOLDER_DEFAULT;
}

/** Connects, does something, and says goodbye. */
export async function withClient<T>(
  options: SessionOptions,
  terminal: Terminal,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect({
    ...masterWords(options, terminal),
    connectWithinMs: VERB_CONNECT_WITHIN_MS,
    onDelayed: (message) => terminal.note(`the master asks to wait: ${message}`),
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
