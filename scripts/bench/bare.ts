/**
 * What the platform alone does with the same work: the limits beside which our figures stand.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { median } from "./fleet.ts";

function openDatabase(): { readonly db: DatabaseSync; readonly close: () => void } {
  const folder = Deno.makeTempDirSync({ prefix: "espalier-bare-" });
  const db = new DatabaseSync(`${folder}/bare.db`);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  db.exec(
    "CREATE TABLE task (id INTEGER PRIMARY KEY, payload BLOB); CREATE TABLE outcome (id INTEGER PRIMARY KEY, body TEXT)",
  );
  return {
    db,
    close: () => {
      db.close();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

/** Rows of tasks and of outcomes, 1,000 a transaction. */
export function bareTasksPerSecond(tasks: number, payloadBytes: number): number {
  const { db, close } = openDatabase();
  const addTask = db.prepare("INSERT INTO task VALUES (?, ?)");
  const addOutcome = db.prepare("INSERT INTO outcome VALUES (?, ?)");
  const payload = new Uint8Array(payloadBytes);
  const startedMs = performance.now();
  for (let from = 0; from < tasks; from += 1_000) {
    db.exec("BEGIN");
    for (let i = from; i < from + 1_000; i++) addTask.run(i, payload);
    db.exec("COMMIT");
    db.exec("BEGIN");
    for (let i = from; i < from + 1_000; i++) addOutcome.run(i, "{}");
    db.exec("COMMIT");
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  close();
  return tasks / seconds;
}

/** Two round trips over a WebSocket, with a durable row at the far end of each. */
export async function bareRoundTripMs(
  trips: number,
): Promise<{ readonly medianMs: number; readonly p99Ms: number }> {
  const { db, close } = openDatabase();
  const add = db.prepare("INSERT INTO outcome (body) VALUES (?)");
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => {
      add.run("{}");
      socket.send(data);
    };
    return response;
  });
  const socket = new WebSocket(`ws://127.0.0.1:${server.addr.port}`);
  socket.binaryType = "arraybuffer";
  await new Promise((resolve) => socket.onopen = resolve);
  const message = new Uint8Array(100);
  const times: number[] = [];
  for (let i = 0; i < trips; i++) {
    const startedMs = performance.now();
    for (let leg = 0; leg < 2; leg++) {
      const came = new Promise((resolve) => socket.onmessage = resolve);
      socket.send(message);
      await came;
    }
    times.push(performance.now() - startedMs);
  }
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  await closed;
  await server.shutdown();
  close();
  times.sort((a, b) => a - b);
  return { medianMs: median(times), p99Ms: times[Math.floor(times.length * 0.99)] ?? NaN };
}

/** From the SIGKILL of a bare process until the platform tells the other side that its WebSocket has closed. */
export async function bareCloseMs(kills: number): Promise<number> {
  let opened = Promise.withResolvers<void>();
  let closed = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => opened.resolve();
    socket.onclose = () => closed.resolve();
    return response;
  });
  const code = `new WebSocket("ws://127.0.0.1:${server.addr.port}"); setInterval(() => {}, 1e6)`;
  const times: number[] = [];
  for (let i = 0; i < kills; i++) {
    opened = Promise.withResolvers();
    closed = Promise.withResolvers();
    const process = new Deno.Command(Deno.execPath(), { args: ["eval", code] }).spawn();
    await opened.promise;
    const startedMs = performance.now();
    process.kill("SIGKILL");
    await closed.promise;
    times.push(performance.now() - startedMs);
    await process.status;
  }
  await server.shutdown();
  return median(times);
}
