import { equal, match, throws } from "node:assert/strict";
import { NAME_PATTERN } from "../../../shared/model/ids.ts";
import { FolderInUseError, hostPart, openIdentity } from "../../../worker/identity.ts";

async function inFolder(body: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(`${folder}/data`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a worker keeps its name", () =>
  inFolder((folder) => {
    const first = openIdentity(folder);
    first.close();
    const second = openIdentity(folder);
    second.close();
    equal(second.worker, first.worker);
    match(first.worker, NAME_PATTERN);
    equal((Deno.statSync(folder).mode ?? 0) & 0o777, 0o700);
  }));

Deno.test("two folders are two workers", () =>
  inFolder((folder) => {
    const workers = ["a", "b"].map((name) => {
      const identity = openIdentity(`${folder}/${name}`);
      identity.close();
      return identity.worker;
    });
    equal(new Set(workers).size, 2);
  }));

Deno.test("a folder that is held is refused with the number of the process that holds it", () =>
  inFolder((folder) => {
    const holder = openIdentity(folder);
    throws(() => openIdentity(folder), (error) => {
      match(String(error), new RegExp(`held by the worker process ${Deno.pid}: stop that one, or give`));
      return error instanceof FolderInUseError;
    });
    holder.close();
    openIdentity(folder).close();
  }));

Deno.test("a name that is none is refused, and the folder let go of", () =>
  inFolder((folder) => {
    Deno.mkdirSync(folder);
    Deno.writeTextFileSync(`${folder}/worker-id`, "not / a name\n");
    for (let time = 0; time < 2; time += 1) {
      throws(
        () => openIdentity(folder),
        /the worker's name in \S+worker-id is "not \/ a name"; .*remove the file/s,
      );
    }
  }));

Deno.test("the names of machines become names of workers", () => {
  const names = {
    "gpu-01.example.org": "gpu-01.example.org",
    "": "worker",
    "-_.": "worker",
    "mein Rechner": "mein-Rechner",
  };
  for (const [hostname, expected] of Object.entries(names)) equal(hostPart(hostname), expected);
  match(`${hostPart("x".repeat(300))}-abcdef`, NAME_PATTERN);
});
