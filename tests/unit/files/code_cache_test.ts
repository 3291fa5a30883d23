import assert from "node:assert/strict";
import { CodeCache } from "../../../worker/files/code_cache.ts";
import { TransferPlace } from "../../../worker/files/place.ts";
import { FolderTransfer, inFolder, namesIn, putTree } from "./rig.ts";

const never = new AbortController().signal;

function cacheIn(folder: string, transfer: FolderTransfer, bytesMax?: number): CodeCache {
  const dataFolder = `${folder}/data`;
  return new CodeCache({ dataFolder, place: new TransferPlace(dataFolder), transfer, bytesMax });
}

Deno.test("code is fetched once for all who wait for it, and not again by the next life of the worker", async () => {
  await inFolder(async (folder) => {
    const transfer = new FolderTransfer(folder);
    const code = await putTree(folder, transfer, { "evaluate.py": "x", "lib/a.py": "y" });
    const cache = cacheIn(folder, transfer);
    const uses = await Promise.all([1, 2, 3].map(() => cache.use(code, never)));
    assert.deepEqual(new Set(uses.map((use) => use.folder)).size, 1);
    assert.deepEqual(await namesIn(uses[0]?.folder ?? ""), ["evaluate.py", "lib", "lib/a.py"]);
    const again = await cacheIn(folder, transfer).use(code, never);
    assert.equal(await Deno.readTextFile(`${again.folder}/lib/a.py`), "y");
    assert.deepEqual(transfer.asked, [`get ${code.sha256}`]);
  });
});

Deno.test("one who stops waiting leaves the others their transfer, and the last one ends it", async () => {
  await inFolder(async (folder) => {
    const transfer = new FolderTransfer(folder);
    const code = await putTree(folder, transfer, { a: "x" });
    const cache = cacheIn(folder, transfer);
    await cache.open();
    const master = Promise.withResolvers<void>();
    transfer.gate = master.promise;
    const stops = [new AbortController(), new AbortController(), new AbortController()];
    const [first, second, third] = stops.map(({ signal }) => cache.use(code, signal));
    stops[0]?.abort(new Error("stopped"));
    await assert.rejects(first ?? Promise.resolve(), /stopped/);
    stops[1]?.abort(new Error("stopped"));
    stops[2]?.abort(new Error("stopped"));
    await assert.rejects(second ?? Promise.resolve(), /stopped/);
    await assert.rejects(third ?? Promise.resolve(), /stopped/);
    // Who comes now begins anew, and is not told of the end of the former transfer.
    const later = cache.use(code, never);
    master.resolve();
    assert.deepEqual(await namesIn((await later).folder), ["a"]);
    assert.equal(transfer.asked.length, 2);
  });
});

Deno.test("a cache that is full lets the least recently used go, and never what is in use", async () => {
  await inFolder(async (folder) => {
    const transfer = new FolderTransfer(folder);
    const codes = [];
    for (const text of ["a", "b", "c"]) codes.push(await putTree(folder, transfer, { name: text }));
    const [a, b, c] = codes;
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    const cache = cacheIn(folder, transfer, a.bytes * 2);
    const usedA = await cache.use(a, never);
    (await cache.use(b, never)).release();
    (await cache.use(c, never)).release();
    await cache.settled();
    const cached = () => Array.from(Deno.readDirSync(`${folder}/data/code`), ({ name }) => name).toSorted();
    assert.deepEqual(cached(), [a.sha256, c.sha256].toSorted());
    assert.equal(await Deno.readTextFile(`${usedA.folder}/name`), "a");
    usedA.release();
    (await cache.use(b, never)).release();
    await cache.settled();
    // Taken before c, it was used before c.
    assert.deepEqual(cached(), [b.sha256, c.sha256].toSorted());
    assert.deepEqual(await namesIn(`${folder}/data/transfers`), []);
  });
});

Deno.test("code that two wait for is theirs, although others end theirs in a full cache meanwhile", async () => {
  await inFolder(async (folder) => {
    const transfer = new FolderTransfer(folder);
    const used = await putTree(folder, transfer, { name: "a" });
    const wanted = await putTree(folder, transfer, { name: "b" });
    const cache = cacheIn(folder, transfer, used.bytes);
    const uses = await Promise.all(Array.from({ length: 200 }, () => cache.use(used, never)));
    const waiting = Promise.all([cache.use(wanted, never), cache.use(wanted, never)]);
    // One after the other, so that some end between the moment the code is there and the one it is taken.
    const last = uses.pop();
    const ending = setInterval(() => uses.pop()?.release(), 0);
    const [first, second] = await waiting.finally(() => clearInterval(ending));
    assert.equal(await Deno.readTextFile(`${first?.folder}/name`), "b");
    assert.deepEqual(transfer.asked, [`get ${used.sha256}`, `get ${wanted.sha256}`]);
    for (const use of [...uses, first, second, last]) use?.release();
    await cache.settled();
    assert.equal((await namesIn(`${folder}/data/code`)).filter((name) => name.length === 64).length, 1);
  });
});

Deno.test("what was half unpacked, or unpacked before the machine went down, is not taken for whole", async () => {
  await inFolder(async (folder) => {
    const transfer = new FolderTransfer(folder);
    const code = await putTree(folder, transfer, { a: "whole" });
    const place = `${folder}/data/code/${code.sha256}`;
    for (const facts of [undefined, "{", JSON.stringify({ bytes: code.bytes, boot: "another" })]) {
      await Deno.mkdir(`${place}/tree`, { recursive: true });
      await Deno.writeTextFile(`${place}/tree/a`, "ha");
      if (facts !== undefined) await Deno.writeTextFile(`${place}/code.json`, facts);
      await Deno.mkdir(`${folder}/data/transfers/torn/whole/tree`, { recursive: true });
      const { folder: found } = await cacheIn(folder, transfer).use(code, never);
      assert.equal(await Deno.readTextFile(`${found}/a`), "whole");
      assert.deepEqual(await namesIn(`${folder}/data/transfers`), []);
      await Deno.remove(place, { recursive: true });
    }
  });
});

Deno.test("code that is larger than the cache is not even fetched", async () => {
  await inFolder(async (folder) => {
    const transfer = new FolderTransfer(folder);
    const code = await putTree(folder, transfer, { a: "x" });
    const cache = cacheIn(folder, transfer, 100);
    await assert.rejects(
      cache.use(code, never),
      /it takes 2048 bytes, and this worker keeps 100 \(--code-cache\)/,
    );
    assert.deepEqual(transfer.asked, []);
  });
});
