import { deepEqual, equal } from "node:assert/strict";
import { epochOf } from "../../../shared/model/ids.ts";
import { SeenFile } from "../../../worker/seen_file.ts";

const EPOCH = epochOf("a".repeat(32), 3, "0123abcd");

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the newest that a worker was told is there in its next process", () =>
  inFolder(async (folder) => {
    const file = new SeenFile(folder);
    equal(file.read(), null);
    for (let commit = 1; commit <= 500; commit++) file.note({ epoch: EPOCH, commit });
    await file.close();
    deepEqual(new SeenFile(folder).read(), { epoch: EPOCH, commit: 500 });
    await file.close();
  }));

Deno.test("what was told is written by itself, soon", () =>
  inFolder(async (folder) => {
    const changes = Deno.watchFs(folder);
    const file = new SeenFile(folder, 1);
    file.note({ epoch: EPOCH, commit: 7 });
    for await (const _change of changes) if (file.read()?.commit === 7) break;
    await file.close();
  }));

Deno.test("a file that is none, or of another form, is as if there were none", () =>
  inFolder(async (folder) => {
    for (const text of ["", "{", "null", `{"epoch":"x","commit":1}`, `{"epoch":"${EPOCH}","commit":-1}`]) {
      await Deno.writeTextFile(`${folder}/seen.json`, text);
      equal(new SeenFile(folder).read(), null);
    }
  }));

Deno.test("a folder that cannot be written costs nothing but the knowledge", () =>
  inFolder(async (folder) => {
    const file = new SeenFile(`${folder}/missing`);
    file.note({ epoch: EPOCH, commit: 7 });
    await file.close();
    equal(file.read(), null);
  }));
