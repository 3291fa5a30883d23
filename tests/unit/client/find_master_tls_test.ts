import assert from "node:assert/strict";
import { findMaster, freshToken } from "../../../client/find_master.ts";
import { isLoopback, plainTextProblem } from "../../../shared/platform/plain_text.ts";
import { runAlone } from "../cli/fake_terminal.ts";

Deno.test("only addresses that lead back to this machine are loopback", () => {
  for (
    const host of ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "a.localhost", "[::ffff:7f00:1]"]
  ) {
    assert.ok(isLoopback(host), host);
  }
  for (
    const host of ["0.0.0.0", "::", "10.0.0.5", "127.0.0.1.example.org", "localhost.example.org", "gpu1"]
  ) {
    assert.ok(!isLoopback(host), host);
  }
});

Deno.test("no token leaves this machine in plain text, unless a person said so", async () => {
  const token = "t";
  for (
    const url of ["gpu1:4400", "http://10.0.0.5:4400", "ws://[fe80::1]:4400", "http://search.example.org"]
  ) {
    await assert.rejects(findMaster({ url, token }), { code: "insecure_master" }, url);
    assert.equal((await findMaster({ url, token, insecure: true })).token, token);
  }
  for (const url of ["127.0.0.1:1", "http://[::1]:1", "https://gpu1:4400", "wss://search.example.org"]) {
    assert.equal((await findMaster({ url, token })).token, token);
  }
  // One address of several is enough to send it there.
  const masters = ["https://gpu1:4400", "http://gpu2:4400"];
  await assert.rejects(findMaster({ masters, token }), /gpu2:4400 is another machine/);
});

Deno.test("what is said of plain text names the machine and both ways out", () => {
  const problem = plainTextProblem("ws://gpu1:4400/socket", false);
  assert.match(problem?.message ?? "", /^gpu1:4400 is another machine/);
  assert.match(problem?.advice ?? "", /https:\/\/gpu1:4400.*--insecure/);
});

Deno.test("client verbs and workers refuse plain text beyond this machine as wrong usage", async () => {
  for (const verb of ["workers", "worker"]) {
    const { code, notes } = await runAlone([verb, "--master", "http://gpu1:4400"], { ESPALIER_TOKEN: "t" });
    assert.equal(code, 2, verb);
    assert.match(notes, /in the clear.*--insecure/);
  }
});

Deno.test("a file for --ca that holds no certificate is wrong usage", async () => {
  const path = await Deno.makeTempFile();
  try {
    for (const text of ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]) {
      await Deno.writeTextFile(path, text);
      const { code, notes } = await runAlone(["workers", "--master", "https://gpu1", "--ca", path], {
        ESPALIER_TOKEN: "t",
      });
      assert.equal(code, 2, text);
      assert.match(notes, /certificate/);
    }
    const { code, notes } = await runAlone(["workers"], { ESPALIER_CA: `${path}-none`, ESPALIER_TOKEN: "t" });
    assert.equal(code, 2);
    assert.match(notes, /cannot be read/);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a token that came from a file is read again, and one that was given is not", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const tokenFile = `${folder}/token`;
    await Deno.writeTextFile(tokenFile, "old\n");
    const read = freshToken({ tokenFile });
    assert.equal(await read?.(), "old");
    await Deno.writeTextFile(tokenFile, "new\n");
    assert.equal(await read?.(), "new");
    await Deno.remove(tokenFile);
    assert.equal(await read?.(), undefined);
    assert.equal(freshToken({ token: "t", tokenFile }), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
