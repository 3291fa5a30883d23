import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { ArtifactError } from "../../shared/protocol/artifact_port.ts";
import { hashOf, noise, Sender } from "../unit/artifacts/rig.ts";
import { ArtifactsRig, CuttingProxy, withArtifacts } from "./artifacts_rig.ts";
import { makeCertificates } from "./certificates.ts";

const BYTES = noise(3_000_000);
const SHA256 = hashOf(BYTES);
const REF = { sha256: SHA256, bytes: BYTES.byteLength };

function artifactError(kind: ArtifactError["kind"], pattern: RegExp) {
  return (error: unknown) => {
    ok(error instanceof ArtifactError, String(error));
    equal(error.kind, kind);
    match(error.message, pattern);
    return true;
  };
}

withArtifacts(
  "a file is put and got whole, its hash right at both ends; what is there is not sent again",
  async (it) => {
    const proxy = new CuttingProxy(it.listener.port, []);
    const transfer = it.transfer({ urls: [proxy.url] });
    const path = await it.file("model", BYTES);
    deepEqual(await transfer.put(path), REF);
    deepEqual(await transfer.put(path), REF);
    ok((proxy.passed.at(-1) ?? Infinity) < 5_000, String(proxy.passed));
    await transfer.get(REF, `${it.folder}/got`);
    deepEqual(await Deno.readFile(`${it.folder}/got`), BYTES);
    ok(![...Deno.readDirSync(it.folder)].some(({ name }) => name.endsWith(".part")));
    const empty = await transfer.put(await it.file("empty", new Uint8Array()));
    await transfer.get(empty, `${it.folder}/empty too`);
    equal((await Deno.stat(`${it.folder}/empty too`)).size, 0);
    await proxy.close();
  },
);

withArtifacts("a PUT and a GET that are cut in their midst go on where they were", async (it) => {
  // Of each put the first connection only asks.
  const proxy = new CuttingProxy(it.listener.port, [Infinity, 1_000_000, Infinity, 700_000]);
  const transfer = it.transfer({ urls: [proxy.url] });
  deepEqual(await transfer.put(await it.file("model", BYTES)), REF);
  const sent = proxy.passed.reduce((a, b) => a + b, 0);
  ok(proxy.passed.length >= 6, String(proxy.passed));
  // What lay in the buffers of the connections was sent twice, and no more.
  ok(sent < BYTES.byteLength + 1_500_000, `${sent} bytes passed`);
  await proxy.close();
  const cutting = new CuttingProxy(it.listener.port, [500_000, 900_000]);
  await it.transfer({ urls: [cutting.url] }).get(REF, `${it.folder}/got`);
  deepEqual(await Deno.readFile(`${it.folder}/got`), BYTES);
  equal(cutting.passed.length, 3);
  ok(cutting.passed.reduce((a, b) => a + b, 0) < BYTES.byteLength + 1_500_000, String(cutting.passed));
  await cutting.close();
});

withArtifacts("of several masters the next is asked where one is not there", async (it) => {
  const gone = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const urls = [`http://127.0.0.1:${gone.addr.port}`, `${it.listener.url.replace("http", "ws")}/socket`];
  gone.close();
  deepEqual(await it.transfer({ urls }).put(await it.file("model", BYTES)), REF);
});

withArtifacts("what no try can mend is an error at once, with a word why", async (it) => {
  const path = await it.file("model", BYTES);
  await rejects(it.transfer().get(REF, `${it.folder}/got`), artifactError("missing", /no such artifact/));
  await rejects(
    it.transfer({ token: it.tokens.view }).put(path),
    artifactError("refused", /role view adds no/),
  );
  await rejects(it.transfer({ token: "wrong" }).put(path), artifactError("refused", /token is needed/));
  await rejects(it.transfer().put(`${it.folder}/none`), artifactError("local", /No such file/));
  await it.transfer().put(path);
  await rejects(
    it.transfer().get({ ...REF, bytes: 5 }, `${it.folder}/got`),
    artifactError("missing", /3000000 bytes there, and not 5/),
  );
  await rejects(it.transfer().get(REF, `${it.folder}/none/got`), artifactError("local", /No such file/));
  const elsewhere = it.transfer({ urls: ["http://master.example:4400"] });
  await rejects(elsewhere.put(path), artifactError("refused", /in the clear; .*https/));
});

withArtifacts("a file over the limit is refused with the option that sets it", async (it) => {
  const path = await it.file("model", BYTES);
  await rejects(it.transfer().put(path), artifactError("refused", /--artifact-limit/));
}, { artifactBytesMax: 2_999_999 });

withArtifacts("a wrong beginning at the master is mended by sending all of it", async (it) => {
  await it.room.upload(
    { sha256: SHA256, total: REF.bytes, from: 0 },
    new Sender(noise(1_000_000, 7)).end().body,
  );
  deepEqual(await it.transfer().put(await it.file("model", BYTES)), REF);
});

withArtifacts("a damaged copy at the master is told, and nothing is left of it here", async (it) => {
  await it.transfer().put(await it.file("model", BYTES));
  await Deno.writeFile(it.room.folder.path(SHA256), noise(REF.bytes, 5));
  await rejects(it.transfer().get(REF, `${it.folder}/got`), artifactError("missing", /damaged/));
  deepEqual([...Deno.readDirSync(it.folder)].map(({ name }) => name).toSorted(), ["artifacts", "model"]);
});

withArtifacts("a token that was changed is read anew", async (it) => {
  let reads = 0;
  const freshToken = () => Promise.resolve((reads += 1) === 1 ? "old" : it.tokens.worker);
  const path = await it.file("model", noise(10));
  equal((await it.transfer({ token: "older", freshToken }).put(path)).bytes, 10);
});

Deno.test({
  name: "a transfer waits for a master that is not there, until its signal says otherwise",
  timeout: 30_000,
  fn: async () => {
    const it = await ArtifactsRig.open();
    const path = await it.file("model", BYTES);
    const stop = new AbortController();
    const proxy = new CuttingProxy(1, []);
    await proxy.close();
    const waiting = it.transfer({ urls: [proxy.url] }).put(path, { signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    await rejects(waiting, artifactError("stopped", /stopped/));
    await it.end();
  },
});

Deno.test({
  name: "with a certificate all of it is encrypted, and the authority must be known",
  timeout: 30_000,
  fn: async () => {
    const { ca, cert, key } = makeCertificates();
    const it = await ArtifactsRig.open({}, { tls: { cert, key } });
    try {
      const path = await it.file("model", BYTES);
      const transfer = it.transfer({ caCerts: [ca] });
      deepEqual(await transfer.put(path), REF);
      await transfer.get(REF, `${it.folder}/got`);
      deepEqual(await Deno.readFile(`${it.folder}/got`), BYTES);
      const stranger = it.transfer().get(REF, `${it.folder}/not`, { signal: AbortSignal.timeout(300) });
      await rejects(stranger, artifactError("stopped", /certificate|UnknownIssuer/));
    } finally {
      await it.end();
    }
  },
});
