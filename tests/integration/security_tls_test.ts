/**
 * TLS between real processes: the command line as an operator uses it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { makeCertificates } from "./certificates.ts";
import { CliProcess, inFolder, writeSpec } from "./cli_process.ts";

/** A master with a certificate of its own authority, and files for those who come. */
async function withTlsMaster(
  folder: string,
  body: (
    it: { readonly url: string; readonly ca: string; readonly otherCa: string; readonly token: string },
  ) => Promise<void>,
): Promise<void> {
  const [mine, others] = [makeCertificates(), makeCertificates()];
  const files = { "ca.pem": mine.ca, "other.pem": others.ca, "cert.pem": mine.cert, "key.pem": mine.key };
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${name}`, text);
  const data = `${folder}/data`;
  const tls = ["--tls-cert", `${folder}/cert.pem`, "--tls-key", `${folder}/key.pem`];
  const master = new CliProcess(["master", "--data", data, "--port", "0", ...tls]);
  const [, url = ""] = await master.line(/^master +(https:\S+)$/m);
  await body({ url, ca: `${folder}/ca.pem`, otherCa: `${folder}/other.pem`, token: `${data}/tokens.json` });
  assert.equal((await master.stop()).code, 0);
}

Deno.test("a worker and a client run a search over TLS, with an authority of one's own", () =>
  inFolder((folder) =>
    withTlsMaster(folder, async ({ url, ca, token }) => {
      const common = ["--master", url, "--ca", ca, "--token-file", token];
      const worker = new CliProcess(["worker", ...common, "--data", `${folder}/w`, "--slots", "1"]);
      await worker.line(/connected to the master at wss:/);
      const spec = await writeSpec(folder, { trials: 3 });
      const run = await new CliProcess(["run", spec, ...common, "--output", "json"]).finished();
      assert.equal(run.code, 0, run.notes);
      assert.equal(JSON.parse(run.out).trials.completed, 3);
      assert.equal((await worker.stop()).code, 0);
    })
  ));

Deno.test("without the authority, or with another one, neither a worker nor a client says its token", () =>
  inFolder((folder) =>
    withTlsMaster(folder, async ({ url, otherCa, token }) => {
      await Promise.all([[], ["--ca", otherCa]].map(async (ca, index) => {
        const common = ["--master", url, ...ca, "--token-file", token];
        const worker = new CliProcess(["worker", ...common, "--data", `${folder}/w${index}`]);
        await worker.line(/nobody whom this machine trusts has signed the master's certificate.*--ca/);
        worker.signal("SIGKILL");
        assert.doesNotMatch((await worker.finished()).notes, /connected/);
        const asked = await new CliProcess(["workers", ...common]).finished();
        assert.equal(asked.code, 1);
        assert.match(asked.notes, /nobody whom this machine trusts/);
      }));
    })
  ));

Deno.test("a wrong name and a wrong scheme are told in words", () =>
  inFolder((folder) =>
    withTlsMaster(folder, async ({ url, ca, token }) => {
      const ask = async (address: string) => {
        const args = ["workers", "--master", address, "--ca", ca, "--token-file", token];
        const { code, notes } = await new CliProcess(args).finished();
        assert.equal(code, 1);
        return notes;
      };
      const addresses = [url.replace("127.0.0.1", "localhost"), url.replace("https", "http")];
      const [name = "", scheme = ""] = await Promise.all(addresses.map(ask));
      assert.match(name, /certificate is for another name/);
      assert.match(scheme, /write https:\/\//);
    })
  ));
