import assert from "node:assert/strict";
import { findMaster, socketUrl } from "../../../client/find_master.ts";
import { CommandFailed } from "../../../client/command_failed.ts";
import { connect } from "../../../client/mod.ts";

const TOKENS = JSON.stringify({ admin: "a", submit: "s", worker: "w", view: "v" });

/** A folder with files, for as long as a test looks at it. */
async function inFolder(files: Readonly<Record<string, string>>, look: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${name}`, text);
    await look(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("an address may be written in every usual way", () => {
  for (
    const text of [
      "127.0.0.1:4400",
      "http://127.0.0.1:4400",
      "ws://127.0.0.1:4400/",
      "ws://127.0.0.1:4400/socket",
    ]
  ) {
    assert.equal(socketUrl(text), "ws://127.0.0.1:4400/socket");
  }
  assert.equal(socketUrl("https://search.example.org"), "wss://search.example.org/socket");
});

Deno.test("what is no address is refused with an example", () => {
  for (const text of ["", "ftp://x", "http://", "two words:1"]) {
    assert.throws(
      () => socketUrl(text),
      (error) => error instanceof CommandFailed && error.code === "bad_address",
    );
  }
});

Deno.test("a master on this machine is found by its data folder alone", async () => {
  const files = {
    "master.json": JSON.stringify({ url: "http://127.0.0.1:1", pid: 1 }),
    "tokens.json": TOKENS,
  };
  await inFolder(files, async (dataFolder) => {
    assert.deepEqual(await findMaster({ dataFolder }), { masters: ["ws://127.0.0.1:1/socket"], token: "a" });
    assert.equal((await findMaster({ dataFolder }, ["worker"])).token, "w");
  });
});

Deno.test("where the master of a folder has ended, its user is told how to start one over it", async () => {
  const files = {
    "master.json": JSON.stringify({ url: "http://127.0.0.1:1", pid: 1 }),
    "tokens.json": TOKENS,
  };
  await inFolder(files, async (dataFolder) => {
    await assert.rejects(
      connect({ dataFolder, connectWithinMs: 50 }),
      (error) =>
        error instanceof CommandFailed &&
        error.advice.includes(`start one: espalier master --data ${dataFolder}`),
    );
  });
});

Deno.test("a token file holds one token, or those of a master", async () => {
  await inFolder({ one: "secret\n", "tokens.json": TOKENS }, async (folder) => {
    assert.equal((await findMaster({ url: "127.0.0.1:1", tokenFile: `${folder}/one` })).token, "secret");
    assert.equal(
      (await findMaster({ url: "127.0.0.1:1", tokenFile: `${folder}/tokens.json` }, ["view"])).token,
      "v",
    );
  });
});

Deno.test("a token that is given goes before any file", async () => {
  await inFolder({ "tokens.json": TOKENS }, async (dataFolder) => {
    assert.equal((await findMaster({ url: "127.0.0.1:1", token: "mine", dataFolder })).token, "mine");
  });
});

Deno.test("a folder without a master says how to start one", async () => {
  await inFolder({}, async (dataFolder) => {
    await assert.rejects(findMaster({ dataFolder }), {
      code: "no_master",
      message: `no master runs in ${dataFolder}`,
    });
  });
});

Deno.test("a missing token says where tokens are", async () => {
  await inFolder({}, async (dataFolder) => {
    await assert.rejects(findMaster({ url: "127.0.0.1:1", dataFolder }), { code: "no_token" });
    await assert.rejects(findMaster({ url: "127.0.0.1:1", tokenFile: `${dataFolder}/none` }), {
      code: "no_token",
    });
  });
});
