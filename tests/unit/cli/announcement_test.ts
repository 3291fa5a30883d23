import assert from "node:assert/strict";
import { announcementOf, urlElsewhere } from "../../../client/cli/announcement.ts";
import { hereOf } from "../../../master/gateway/bind.ts";

Deno.test("a master on every address is reached here by loopback, and elsewhere by this machine's name", () => {
  assert.equal(hereOf("0.0.0.0"), "127.0.0.1");
  assert.equal(hereOf("::"), "::1");
  assert.equal(urlElsewhere("http://127.0.0.1:4400", "0.0.0.0", "gpu1"), "http://gpu1:4400");
  assert.equal(urlElsewhere("https://[::1]:4400", "::", "gpu1"), "https://gpu1:4400");
});

Deno.test("a master on one address has that address everywhere", () => {
  for (const bind of ["127.0.0.1", "::1", "10.0.0.5", "search.example.org"]) {
    assert.equal(hereOf(bind), bind);
    assert.equal(urlElsewhere("http://x:4400", bind, "gpu1"), undefined);
  }
});

Deno.test("who adds workers is told to hand out the worker's token and no other", () => {
  const text = announcementOf({
    url: "http://127.0.0.1:4400",
    elsewhere: "http://gpu1:4400",
    login: "http://gpu1:4400/login?token=v",
    dataFolder: "data",
  });
  assert.match(text, /^master +http:\/\/127\.0\.0\.1:4400$/m);
  assert.match(text, /^elsewhere +http:\/\/gpu1:4400$/m);
  assert.match(text, /^status page http:\/\/gpu1:4400\/login/m);
  assert.match(text, /worker --master http:\/\/gpu1:4400 --token-file worker\.token$/m);
  assert.match(text, /the value of "worker" in data\/tokens\.json and nothing else/);
});
