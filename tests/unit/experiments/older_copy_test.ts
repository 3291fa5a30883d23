/**
 * Experiments over an older copy of their store: nobody has decided yet whether it is to count.
 *
 * @module
 */
import assert from "node:assert/strict";
import { commandId } from "../../../shared/model/ids.ts";
import { Lab, SPEC } from "./lab.ts";

Deno.test("over an older copy nothing is begun, paused, resumed or cancelled: it would be acknowledged and lost", () => {
  const lab = new Lab(() => "later");
  const group = lab.run({ budget: { trials: 100 } });
  lab.pass(100);
  lab.remembersMore();
  for (const type of ["pause", "resume", "cancel_experiment"] as const) {
    const reply = lab.ask((asker) => ({ type, id: commandId(type), group, ...asker }));
    assert.equal(reply.ok ? "done" : reply.error.code, "store_lost", type);
  }
  const reply = lab.ask((asker) => ({ type: "run", id: commandId("more"), spec: SPEC, ...asker }));
  assert.equal(reply.ok ? "done" : reply.error.code, "store_lost");
  const { state, open } = lab.summary(group);
  assert.deepEqual({ state, open }, { state: "running", open: 2 });
  assert.equal(lab.disk.state.experiments.size, 1);
});
