import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { ModulePermissions } from "../../../shared/model/task.ts";
import { readAllowed } from "../../../shared/model/permissions.ts";
import { grant, permissionArguments } from "../../../worker/executors/module/module_permissions.ts";

function allowedBy(...words: string[]): ModulePermissions {
  const read = readAllowed(words);
  ok(read.ok, read.ok ? "" : read.message);
  return read.allowed;
}

const isGranted = (asked: ModulePermissions, ...words: string[]) =>
  grant(asked, allowedBy(...words), "/code").ok;

Deno.test("nothing that was asked for is granted without a word of the worker's", () => {
  for (const name of ["read", "write", "net", "env", "sys"]) {
    equal(grant({ [name]: ["x"] }, {}, "/code").ok, false, name);
  }
  ok(grant(undefined, {}, "/code").ok);
});

Deno.test("a folder stands for what lies below it, a host for its ports, a star for what is named", () => {
  ok(isGranted({ read: ["/data/cifar/train"] }, "read=/data"));
  ok(!isGranted({ read: ["/database"] }, "read=/data"));
  ok(!isGranted({ read: ["/data/../etc"] }, "read=/data"));
  ok(isGranted({ read: ["data.csv"] }, "read=/code/data.csv"));
  ok(isGranted({ net: ["example.org:443"] }, "net=example.org"));
  ok(!isGranted({ net: ["example.org"] }, "net=example.org:443"));
  ok(!isGranted({ net: ["example.org.evil.net"] }, "net=example.org"));
  ok(isGranted({ env: ["HF_HOME"] }, "env=*"));
  ok(!isGranted({ env: ["*"] }, "env=*"));
});

Deno.test("one wish that is not allowed refuses all", () => {
  ok(!isGranted({ env: ["A"], net: ["example.org"] }, "env=A"));
});

Deno.test("a word of the worker's that allows nothing is a mistake with an example", () => {
  for (const word of ["net", "net=", "run=/bin/sh", "read=a,b"]) {
    const read = readAllowed([word]);
    match(
      read.ok ? "" : read.message,
      /allows nothing: expected PERMISSION=ENTRY .* such as net=example\.org:443/,
    );
  }
});

Deno.test("what is granted becomes Deno's own words", () => {
  const granted = grant({ net: ["a:1", "b"], env: ["C"] }, allowedBy("net=*", "env=C"), "/code");
  deepEqual(granted.ok && permissionArguments(granted.granted), ["--allow-net=a:1,b", "--allow-env=C"]);
});
