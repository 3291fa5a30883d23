/**
 * What is started for a command: a program that exists, and an environment without secrets.
 *
 * @module
 */
import { isAbsolute, join, resolve } from "node:path";

/** A program's absolute path, or why there is none. */
export type FoundProgram = { readonly ok: true; readonly path: string } | {
  readonly ok: false;
  readonly message: string;
};

/**
 * Finds a program as a shell would: a name in PATH, anything with a slash from the folder on.
 *
 * @param name the first word of a command
 * @param folder where it is to run, absolute
 * @param path the PATH it will have
 */
export function findProgram(name: string, folder: string, path: string): FoundProgram {
  const isName = !name.includes("/");
  const places = isName
    ? path.split(":").filter(isAbsolute).map((place) => join(place, name))
    : [resolve(folder, name)];
  const present = places.filter(isFile);
  const [first] = present;
  if (name === "" || first === undefined) {
    return {
      ok: false,
      message: isName
        ? `there is no program "${name}" on this machine in PATH (${path}): install it, or write its path with a slash, such as ./${name}`
        : `there is no program ${places.join()} on this machine: paths are relative to the folder ${folder}`,
    };
  }
  const found = present.find(isExecutable);
  if (found !== undefined) return withInterpreter(found);
  return {
    ok: false,
    message: `${first} is not executable: chmod +x it, or name its interpreter, such as "sh ${name}"`,
  };
}

/**
 * The environment of a program.
 *
 * @param own what the worker says to it
 * @param named of the spec: `NAME` passes on the worker's, `NAME=value` sets
 * @param unlessNamed what holds where the spec says nothing of it
 */
export function environmentOf(
  own: Readonly<Record<string, string>>,
  named: readonly string[] = [],
  unlessNamed: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const passed = [...PASSED_ON, ...named.filter((entry) => !entry.includes("="))].flatMap((name) => {
    const value = isOurs(name) ? undefined : Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const set = named.filter((entry) => entry.includes("=") && !isOurs(entry)).map((entry) => {
    const at = entry.indexOf("=");
    return [entry.slice(0, at), entry.slice(at + 1)] as const;
  });
  return { PATH: PATH_DEFAULT, ...unlessNamed, ...Object.fromEntries([...passed, ...set]), ...own };
}

/** What programs need to find their files and their devices. All else may hold tokens. */
const PASSED_ON = [
  "PATH",
  "HOME",
  "LANG",
  "TMPDIR",
  "TZ",
  "CUDA_VISIBLE_DEVICES",
  "CUDA_DEVICE_ORDER",
  "CUDA_HOME",
  "CUDA_PATH",
  "ROCR_VISIBLE_DEVICES",
  "HIP_VISIBLE_DEVICES",
  "ROCM_PATH",
];
/** Where the worker has none. */
const PATH_DEFAULT = "/usr/local/bin:/usr/bin:/bin";

/** The worker's own variables, its token among them: whatever came past the spec's check. */
function isOurs(entry: string): boolean {
  return entry.startsWith("ESPALIER_");
}

/** A first line `#!` names a program that has to be there too. It is read so far, in bytes, as Linux does. */
const SHEBANG_BYTES_MAX = 256;

function withInterpreter(path: string): FoundProgram {
  const [, interpreter] = /^#!\s*(\S+)/.exec(beginningOf(path)) ?? [];
  if (interpreter === undefined || isFile(interpreter)) return { ok: true, path };
  return {
    ok: false,
    message:
      `${path} names ${interpreter} as its interpreter, which is not on this machine: mend its first line`,
  };
}

function beginningOf(path: string): string {
  try {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(SHEBANG_BYTES_MAX);
    return new TextDecoder("latin1").decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
  } catch {
    // What may be run and not read is a program of its own.
    return "";
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Whether anyone may run it: whether that is this user is told by the start. */
function isExecutable(path: string): boolean {
  return ((Deno.statSync(path).mode ?? 0) & 0o111) !== 0;
}
