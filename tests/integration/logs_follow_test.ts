/**
 * What evaluators print, followed and read from real processes.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Client, connect, type OutputPiece } from "../../client/mod.ts";
import { cli, cliJson, CliProcess, inFolder } from "./cli_process.ts";

const LIMIT = { timeout: 120_000 };
const FLOOD_BYTES = 100_000_000;

/** All pieces of a task's output, and how it ended. */
async function read(client: Client, task: string, follow = false) {
  const pieces: OutputPiece[] = [];
  let outcome = "";
  for await (const event of client.output(task, { follow })) {
    if (event.type === "piece") pieces.push(event);
    else outcome = event.outcome;
  }
  const bytes = (stream: OutputPiece["stream"]) =>
    new Uint8Array(pieces.flatMap((piece) => piece.stream === stream ? [...piece.data] : []));
  const text = (stream: OutputPiece["stream"]) => new TextDecoder().decode(bytes(stream));
  return { pieces, outcome, bytes, text };
}

function rssBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) * 1_024;
}

Deno.test(
  "what evaluators print is followed, and read when they are gone",
  LIMIT,
  (t) =>
    inFolder(async (folder) => {
      const data = ["--data", `${folder}/data`];
      const master = new CliProcess(["master", ...data, "--port", "0"]);
      const [, port = ""] = await master.line(/^master +http:\/\/127\.0\.0\.1:(\d+)$/m);
      const newWorker = async () => {
        const worker = new CliProcess(["worker", ...data, "--slots", "2"]);
        await worker.line(/connected to the master at ws:/);
        return worker;
      };
      const worker = await newWorker();
      await using client = await connect({ dataFolder: `${folder}/data` });
      const submit = async (script: string) => {
        const command = ["sh", "-c", `cd '${folder}'; ${script}`];
        const evaluator = { kind: "command", command, result: "exit_code" } as const;
        const { groups } = await client.submit({ name: "logs", evaluator, inputs: [0] });
        return `${groups[0]}/1`;
      };

      await t.step("a follower sees lines as they come, and ends with the task", async () => {
        const task = await submit(
          "echo one; echo to errors >&2; while [ ! -e go ]; do sleep 0.02; done; echo two",
        );
        const follower = new CliProcess(["logs", task, "--follow", ...data]);
        await follower.line(/^one$/m);
        await follower.line(/^to errors$/m);
        const sofar = await read(client, task);
        assert.deepEqual([sofar.text("stdout"), sofar.outcome], ["one\n", ""], "it still runs");
        await Deno.writeTextFile(`${folder}/go`, "");
        const { code, out, notes } = await follower.finished();
        assert.equal(code, 0);
        assert.equal(out, "one\ntwo\n");
        assert.match(notes, /^--- attempt 1 on .+ ---$/m);
        assert.match(notes, /^to errors$/m);
        assert.match(notes, new RegExp(`^--- ${task} completed ---$`, "m"));
      });

      await t.step("bytes that are no text come through, and the last lines can be had alone", async () => {
        const task = await submit("printf 'a\\nb\\n\\377\\376\\000c\\n'; printf 'no end' >&2");
        const { bytes, text, outcome } = await read(client, task, true);
        assert.deepEqual([...bytes("stdout")], [97, 10, 98, 10, 255, 254, 0, 99, 10]);
        assert.deepEqual([text("stderr"), outcome], ["no end", "completed"]);
        const { out } = await cli("logs", task, ...data, "--stream", "stdout", "--tail", "1");
        assert.equal(new TextEncoder().encode(out).at(-2), 99);
        assert.equal(out.split("\n").length, 2);
        const all = await cliJson("logs", task, ...data, "--stream", "stderr");
        const [name] = (await client.workers()).map(({ id }) => id);
        assert.deepEqual(all, [
          {
            attempt: 1,
            worker: name,
            stream: "stderr",
            offset: 0,
            leftOutBytes: 0,
            text: "no end",
          },
        ]);
        const both = await cli("logs", task, ...data, "--follow", "--output", "json");
        assert.equal(both.code, 2);
        assert.match(both.notes, /leave out one of them/);
      });

      await t.step("a task or an attempt that is not there is a mistake", async () => {
        const task = await submit("echo hello");
        await read(client, task, true);
        const wrong = await cli("logs", task, "--attempt", "7", ...data);
        assert.deepEqual([wrong.code, wrong.out], [1, ""]);
        assert.match(wrong.notes, /nothing is kept of attempt 7 of .+; kept are those of attempts 1$/m);
        await assert.rejects(read(client, "nobody.1/1"), /there is no task nobody\.1\/1/);
        assert.throws(() => client.output("nobody"), /"nobody" is no task/);
      });

      await t.step(
        "of a flood, head and tail are kept, and a stopped reader costs nobody anything",
        async () => {
          const task = await submit(
            `echo begin; while [ ! -e flood ]; do sleep 0.02; done; yes 0123456789 | head -c ${FLOOD_BYTES}; echo the end`,
          );
          const stopped = new CliProcess(["logs", task, "--follow", ...data]);
          const other = read(client, task, true);
          await stopped.line(/^begin$/m);
          const before = rssBytes(master.pid);
          stopped.signal("SIGSTOP");
          await Deno.writeTextFile(`${folder}/flood`, "");
          const { pieces, outcome, text } = await other;
          assert.equal(outcome, "completed");
          assert.match(text("stdout"), /the end\n$/);
          assert.ok(rssBytes(master.pid) - before < 96e6, "the master's memory grew");
          let end = 0;
          for (const { offset, leftOutBytes, data: { byteLength } } of pieces) {
            assert.equal(offset, end + leftOutBytes, "what is left out is said where it is");
            end = offset + byteLength;
          }
          assert.equal(end, FLOOD_BYTES + "begin\nthe end\n".length);
          const kept = await read(client, task);
          const [first] = kept.pieces;
          assert.equal(first?.offset, 0);
          const keptBytes = kept.pieces.reduce((sum, piece) => sum + piece.data.byteLength, 0);
          assert.ok(keptBytes > 256 * 1_024 && keptBytes < 2 * 1_024 * 1_024, `${keptBytes} bytes are kept`);
          assert.match(kept.text("stdout"), /the end\n$/);
          stopped.signal("SIGKILL");
          await stopped.finished();
        },
      );

      await t.step(
        "what a killed worker's evaluator printed until then is there, and goes on with the next",
        async () => {
          const task = await submit(
            "if [ -e died ]; then echo second; else echo first; touch died; while :; do sleep 1; done; fi",
          );
          const follower = new CliProcess(["logs", task, "--follow", ...data]);
          await follower.line(/^first$/m);
          worker.signal("SIGKILL");
          await worker.finished();
          const { text, outcome } = await read(client, task);
          assert.deepEqual([text("stdout"), outcome], ["first\n", ""]);
          await newWorker();
          const { code, out, notes } = await follower.finished();
          assert.deepEqual([code, out], [0, "first\nsecond\n"]);
          assert.match(notes, /--- attempt 1 on .+ ---\n[^]*--- attempt 2 on .+ ---/);
          assert.equal((await cli("logs", task, "--attempt", "1", ...data)).out, "first\n");
          assert.equal((await read(client, task)).text("stdout"), "second\n");
        },
      );

      await t.step("a master that was killed and started again goes on, for its followers too", async () => {
        const task = await submit(
          "echo before; while [ ! -e again ]; do sleep 0.02; done; echo between; while [ ! -e over ]; do sleep 0.02; done",
        );
        const follower = new CliProcess(["logs", task, "--follow", ...data]);
        await follower.line(/^before$/m);
        master.signal("SIGKILL");
        await master.finished();
        await Deno.writeTextFile(`${folder}/again`, "");
        const again = new CliProcess(["master", ...data, "--port", port]);
        await again.line(/^master +http:\/\/127\.0\.0\.1:\d+$/m);
        await follower.line(/^between$/m);
        await Deno.writeTextFile(`${folder}/over`, "");
        const { code, out } = await follower.finished();
        assert.deepEqual([code, out], [0, "before\nbetween\n"]);
        assert.equal((await read(client, "logs.1/1")).text("stdout"), "one\ntwo\n");
        await client.close();
        await assert.rejects(read(client, "logs.1/1"), /closed/);
        await again.stop();
      });
    }),
);
