import { deepEqual, equal } from "node:assert/strict";
import { rangeAsked, rangeSent } from "../../../master/gateway/http_ranges.ts";

Deno.test("a range that is asked for is some bytes of what is there, or all, or none", () => {
  const cases: readonly (readonly [string | null, ReturnType<typeof rangeAsked>])[] = [
    [null, undefined],
    ["bytes=0-9", { from: 0, bytes: 10 }],
    ["bytes=90-", { from: 90, bytes: 10 }],
    ["bytes=90-1000", { from: 90, bytes: 10 }],
    ["bytes=-10", { from: 90, bytes: 10 }],
    ["bytes=-1000", { from: 0, bytes: 100 }],
    ["bytes=100-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=9-3", undefined],
    ["bytes=-", undefined],
    ["bytes=0-1,5-6", undefined],
    ["lines=1-2", undefined],
    ["bytes=99999999999999999999-", undefined],
  ];
  for (const [header, range] of cases) deepEqual(rangeAsked(header, 100), range, String(header));
});

Deno.test("a body says what it is of, by its range or by its length", () => {
  const sent = (headers: Record<string, string>) => rangeSent(new Headers(headers));
  deepEqual(sent({ "content-range": "bytes 0-9/100" }), { from: 0, total: 100 });
  deepEqual(sent({ "content-range": "bytes 90-99/100", "content-length": "10" }), { from: 90, total: 100 });
  deepEqual(sent({ "content-range": "bytes */100" }), { from: undefined, total: 100 });
  deepEqual(sent({ "content-length": "7" }), { from: 0, total: 7 });
  for (const wrong of ["bytes 5-3/100", "bytes 0-100/100", "bytes 0-9/*", "bytes 0-9", "x", "bytes -1-2/3"]) {
    equal(sent({ "content-range": wrong, "content-length": "1" }), undefined, wrong);
  }
  equal(sent({}), undefined);
});
