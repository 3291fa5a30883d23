import { equal, rejects } from "node:assert/strict";
import { AnswerReader } from "../../../shared/platform/http_answer.ts";

/** Bytes that come so many at a time. */
function source(text: string, step: number) {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return {
    read: (into: Uint8Array): Promise<number | null> => {
      if (at === bytes.length) return Promise.resolve(null);
      const piece = bytes.subarray(at, at + Math.min(step, into.length));
      into.set(piece);
      at += piece.length;
      return Promise.resolve(piece.length);
    },
  };
}

async function bodyOf(text: string, step: number): Promise<string> {
  const answer = await AnswerReader.of(source(text, step));
  let body = "";
  for (let piece = await answer.next(); piece !== undefined; piece = await answer.next()) {
    body += new TextDecoder().decode(piece);
  }
  return `${answer.status} ${body}`;
}

Deno.test("an answer is read the same, however its bytes come and however its length is said", async () => {
  const answers = [
    "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nhello \r\n5;x=y\r\nworld\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello world",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello world",
  ];
  for (const answer of answers) {
    for (const step of [1, 2, 3, 7, 1_000]) equal(await bodyOf(answer, step), "200 hello world", answer);
  }
  equal(await bodyOf("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", 5), "404 ");
});

Deno.test("an answer that ends too early, has no end of a head, or is none is an error", async () => {
  const cut = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nhello world";
  await rejects(bodyOf(cut, 4), /ended before its answer did/);
  await rejects(bodyOf("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nhel", 4), /ended before/);
  await rejects(bodyOf("HTTP/1.1 200 OK\r\n", 4), /ended before its answer came/);
  await rejects(bodyOf("HTTP/1.1 200 OK\r\ncontent-length: some\r\n\r\nhello", 4), /has no form/);
  await rejects(bodyOf("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-6\r\n", 4), /has no form/);
  await rejects(bodyOf("SSH-2.0-x\r\n\r\n", 4), /speaks no HTTP/);
  await rejects(bodyOf(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, 1_000), /too long/);
  await rejects(bodyOf(`HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(5_000)}\r\n`, 1_000), /too long/);
});
