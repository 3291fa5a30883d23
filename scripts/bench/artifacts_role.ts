/**
 * One process of the artifacts' benchmark: `artifacts_role.ts plain FOLDER`, `… put|get URL TOKEN FILE [SHA256 BYTES]` or
 * `… plain_put|plain_get URL FILE`.
 *
 * A client prints how long its transfer took and the most memory that it added; `plain` serves and takes bytes with nothing
 * but the platform, and prints its address.
 *
 * @module
 */
import { artifactTransfer } from "../../shared/platform/artifact_transfer.ts";

const [role, ...rest] = Deno.args;
const [first = "", second = "", third = "", sha256 = "", bytes = ""] = rest;
if (role === "plain") await plain(first);
else {
  const transfer = artifactTransfer({ urls: [first], token: second });
  // What a first request loads is no part of the transfer.
  await fetch(`${first}/health`).then((response) => response.text());
  const { isDone, most } = watchMemory();
  const startedMs = performance.now();
  let ref = { sha256, bytes: Number(bytes) };
  if (role === "put") ref = await transfer.put(third);
  else if (role === "get") await transfer.get(ref, third);
  else if (role === "plain_put") await putPlainly(first, second);
  else await getPlainly(first, second);
  const ms = performance.now() - startedMs;
  isDone();
  console.log(JSON.stringify({ ms, extraBytes: most(), ...ref }));
}

/** The most resident memory since now, beyond what there is now. */
function watchMemory(): { readonly isDone: () => void; readonly most: () => number } {
  const before = Deno.memoryUsage().rss;
  let most = before;
  const look = () => most = Math.max(most, Deno.memoryUsage().rss);
  const timer = setInterval(look, 20);
  return { isDone: () => (look(), clearInterval(timer)), most: () => most - before };
}

async function plain(folder: string): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    if (new URL(request.url).pathname === "/health") return new Response("alive\n");
    if (request.method === "GET") return new Response((await Deno.open(`${folder}/plain`)).readable);
    using file = await Deno.open(`${folder}/plain`, { create: true, write: true, truncate: true });
    await request.body?.pipeTo(file.writable, { preventClose: true });
    await file.sync();
    return new Response("kept\n");
  });
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.addr.port}` }));
  for await (const _ of Deno.stdin.readable);
  Deno.exit();
}

/** As `curl -T` does: one request over a plain connection, since `fetch` sends a streamed body far slower. */
async function putPlainly(url: string, path: string): Promise<void> {
  const { hostname, port, host } = new URL(url);
  using file = await Deno.open(path);
  const { size } = await file.stat();
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const head = `PUT /plain HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\ncontent-length: ${size}\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head));
  await file.readable.pipeTo(connection.writable, { preventClose: true });
  await connection.read(new Uint8Array(1_024));
}

async function getPlainly(url: string, path: string): Promise<void> {
  const response = await fetch(`${url}/plain`);
  using file = await Deno.open(path, { create: true, write: true, truncate: true });
  await response.body?.pipeTo(file.writable, { preventClose: true });
  await file.sync();
}
