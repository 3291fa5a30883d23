import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeTarHeader, padded, TAR_BLOCK, type TarHeader } from "../../../shared/platform/tar_header.ts";
import { PackError, packTree } from "../../../shared/platform/tar_pack.ts";
import { UnpackError, unpackTree } from "../../../shared/platform/tar_unpack.ts";
import { staysWithin, type TreeEntry } from "../../../shared/platform/tree_entry.ts";
import { listTree } from "../../../shared/platform/tree_list.ts";
import { inFolder, sha256Of } from "./rig.ts";

/** What is in a folder, with the bytes of its files. */
async function contentOf(folder: string): Promise<unknown> {
  const listed = await listTree(folder);
  assert.ok(listed.ok);
  return await Promise.all(
    listed.entries.map(async (entry) =>
      entry.type === "file" ? [entry, (await Deno.readFile(`${folder}/${entry.name}`)).toHex()] : entry
    ),
  );
}

async function packFolder(folder: string, path: string): Promise<void> {
  const listed = await listTree(folder);
  assert.ok(listed.ok);
  await packTree(listed.entries, folder, path);
}

// Not only what is convenient: blanks, quotes, letters beyond ASCII, names longer than a header takes.
const part = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
  fc.constantFrom("a", "b", "a b", 'say "x"', "ü".repeat(60), "n".repeat(140), "data.tar", "-rf"),
).filter((name) => !/[/\\\0\r\n]/.test(name) && name !== "." && name !== ".." && name.isWellFormed());
const file = fc.record({
  path: fc.array(part, { minLength: 1, maxLength: 4 }),
  bytes: fc.uint8Array({ maxLength: 1_500 }),
  isExecutable: fc.boolean(),
});

Deno.test("any folder that is packed and unpacked is the same, and the same folder gives the same bytes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(file, { maxLength: 8 }), async (files) => {
      await inFolder(async (folder) => {
        const made = `${folder}/made`;
        await Deno.mkdir(made);
        for (const { path, bytes, isExecutable } of files) {
          const name = `${made}/${path.join("/")}`;
          try {
            await Deno.mkdir(`${made}/${path.slice(0, -1).join("/")}`, { recursive: true });
            await Deno.writeFile(name, bytes, { mode: isExecutable ? 0o755 : 0o600 });
          } catch {
            // One drawn name is a file and a folder: the first stays.
          }
        }
        await packFolder(made, `${folder}/1.tar`);
        await Deno.mkdir(`${folder}/again`);
        await unpackTree(`${folder}/1.tar`, `${folder}/again`);
        assert.deepEqual(await contentOf(`${folder}/again`), await contentOf(made));
        await packFolder(`${folder}/again`, `${folder}/2.tar`);
        assert.equal(await sha256Of(`${folder}/2.tar`), await sha256Of(`${folder}/1.tar`));
      });
    }),
    { numRuns: 60 },
  );
});

Deno.test("other programs can read a pack, long and foreign names too", async () => {
  await inFolder(async (folder) => {
    const name = `${"deep/".repeat(30)}größe.txt`;
    await Deno.mkdir(`${folder}/made/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${folder}/made/${name}`, "hello");
    await Deno.symlink("deep", `${folder}/made/link`);
    await packFolder(`${folder}/made`, `${folder}/x.tar`);
    await Deno.mkdir(`${folder}/out`);
    const { code, stderr } = await new Deno.Command("tar", {
      args: ["-xf", "x.tar", "-C", "out"],
      cwd: folder,
    })
      .output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.equal(await Deno.readTextFile(`${folder}/out/${name}`), "hello");
    assert.equal(await Deno.readLink(`${folder}/out/link`), "deep");
  });
});

Deno.test("a file that grows or shrinks while it is packed is an error that names it", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/model.pt`, "12345");
    for (const bytes of [4, 6]) {
      const entry: TreeEntry = { type: "file", name: "model.pt", bytes, isExecutable: false };
      await assert.rejects(packTree([entry], folder, `${folder}/${bytes}.tar`), (error: Error) => {
        assert.ok(error instanceof PackError);
        assert.match(error.message, /model\.pt changed while it was packed/);
        return true;
      });
    }
  });
});

const plain: TarHeader = { name: "x", type: "file", bytes: 0, isExecutable: false, target: "" };

function packOf(...entries: readonly (Partial<TarHeader> & { readonly content?: string })[]): Uint8Array {
  const blocks = entries.map(({ content = "", ...header }) => {
    const bytes = new TextEncoder().encode(content);
    const body = new Uint8Array(padded(bytes.length));
    body.set(bytes);
    return [...encodeTarHeader({ ...plain, bytes: bytes.length, ...header }), ...body];
  });
  return new Uint8Array([...blocks.flat(), ...new Uint8Array(TAR_BLOCK * 2)]);
}

function rawType(flag: string): Uint8Array {
  const bytes = packOf({ name: "device" });
  const old = bytes[156] ?? 0;
  bytes[156] = flag.charCodeAt(0);
  const sum = parseInt(new TextDecoder().decode(bytes.subarray(148, 154)), 8) - old + flag.charCodeAt(0);
  bytes.set(new TextEncoder().encode(sum.toString(8).padStart(6, "0")), 148);
  return bytes;
}

const ATTACKS: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
  "an absolute path": [packOf({ name: "/etc/evil" }), /not below its folder/],
  "a path that goes up": [packOf({ name: "a/../../evil" }), /not below its folder/],
  "a long path that goes up": [packOf({ name: `${"a/".repeat(80)}../x` }), /not below its folder/],
  "an empty name": [packOf({ name: "" }), /not below its folder/],
  "a link to an absolute path": [packOf({ name: "l", type: "link", target: "/etc" }), /leads out/],
  "a link that goes up": [packOf({ name: "l", type: "link", target: ".." }), /leads out/],
  "a link through another that goes up": [
    packOf({ name: "a", type: "link", target: "." }, { name: "b", type: "link", target: "a/.." }),
    /leads out/,
  ],
  "a file written through a link": [
    packOf({ name: "l", type: "link", target: "sub" }, { name: "l/evil", content: "x" }),
    /as a link and as a folder/,
  ],
  "a file below a file": [packOf({ name: "f" }, { name: "f/x" }), /as a file and as a folder/],
  "a file in the place of a folder": [packOf({ name: "f/x" }, { name: "f" }), /twice/],
  "one name twice": [packOf({ name: "f" }, { name: "f" }), /twice/],
  "a device": [rawType("3"), /neither a file, a folder nor a link/],
  "a hard link": [rawType("1"), /neither a file, a folder nor a link/],
  "a torn pack": [packOf({ content: "x".repeat(2_000) }).subarray(0, 1_024), /ends too early/],
  "a pack without an end": [packOf({}).subarray(0, TAR_BLOCK), /ends too early/],
  "no pack at all": [new TextEncoder().encode("x".repeat(1_024)), /no mark of a tar file/],
  "a wrong checksum": [packOf({}).map((byte, at) => at === 0 ? 121 : byte), /checksum/],
  "a folder with content": [packOf({ type: "folder", content: "x" }), /has content and is no file/],
};

for (const [name, [bytes, message]] of Object.entries(ATTACKS)) {
  Deno.test(`${name} is refused, and nothing is written outside of the folder`, async () => {
    await inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/within/there`, { recursive: true });
      await Deno.writeFile(`${folder}/x.tar`, bytes);
      await assert.rejects(unpackTree(`${folder}/x.tar`, `${folder}/within/there`), (error: Error) => {
        assert.ok(error instanceof UnpackError, String(error));
        assert.match(error.message, message);
        return true;
      });
      assert.deepEqual(Array.from(Deno.readDirSync(folder), ({ name }) => name).toSorted(), [
        "within",
        "x.tar",
      ]);
      assert.equal(Array.from(Deno.readDirSync(`${folder}/within`)).length, 1);
    });
  });
}

Deno.test("modes beyond running it are not taken over from a pack", async () => {
  await inFolder(async (folder) => {
    const bytes = packOf({ name: "x", isExecutable: true });
    // 4777: set-user-id, and anyone may write.
    const old = parseInt(new TextDecoder().decode(bytes.subarray(100, 107)), 8).toString(8).padStart(7, "0");
    const wanted = "0004777";
    const sum = parseInt(new TextDecoder().decode(bytes.subarray(148, 154)), 8) +
      [...wanted].reduce((total, digit, at) => total + digit.charCodeAt(0) - old.charCodeAt(at), 0);
    bytes.set(new TextEncoder().encode(wanted), 100);
    bytes.set(new TextEncoder().encode(sum.toString(8).padStart(6, "0")), 148);
    await Deno.writeFile(`${folder}/x.tar`, bytes);
    await Deno.mkdir(`${folder}/out`);
    await unpackTree(`${folder}/x.tar`, `${folder}/out`);
    assert.equal(((await Deno.stat(`${folder}/out/x`)).mode ?? 0) & 0o7022, 0);
  });
});

Deno.test("more entries than are allowed are refused", async () => {
  await inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/x.tar`, packOf({ name: "a" }, { name: "b" }, { name: "c" }));
    await Deno.mkdir(`${folder}/out`);
    await assert.rejects(
      unpackTree(`${folder}/x.tar`, `${folder}/out`, { entriesMax: 2 }),
      /more than 2 entries/,
    );
  });
});

Deno.test("a link stays within its tree only where its path shows it", () => {
  const within = [["l", "a"], ["l", "./a/b"], ["d/l", "../a"], ["d/e/l", "../../a"], ["d/l", ".."], [
    "l",
    ".",
  ]];
  const outside = [["l", ".."], ["l", "/a"], ["l", ""], ["d/l", "../.."], ["l", "a/.."], [
    "d/l",
    "../a/../b",
  ]];
  for (const [name = "", target = ""] of within) assert.ok(staysWithin(name, target), `${name} ${target}`);
  for (const [name = "", target = ""] of outside) assert.ok(!staysWithin(name, target), `${name} ${target}`);
});
