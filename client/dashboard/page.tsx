/**
 * The status page: what the master does, as it happens.
 *
 * @module
 */
import { effect } from "@preact/signals";
import { render } from "preact";
import { Experiments } from "./experiments_view.tsx";
import { Fleet } from "./fleet_view.tsx";
import { experiments, isLoaded, nowMs } from "./live_state.ts";
import { stayConnected } from "./page_link.ts";
import { Banner, Overview } from "./status_view.tsx";
import { Tree } from "./tree_view.tsx";

function Page() {
  return (
    <>
      <Overview />
      <Banner />
      <main aria-busy={!isLoaded.value}>
        <Experiments />
        <Fleet />
        <Tree />
      </main>
    </>
  );
}

effect(() => {
  const running = experiments.value.filter(({ state }) => state === "running").length;
  document.title = running === 0 ? "Espalier" : `${running} running · Espalier`;
});

const place = document.getElementById("page");
if (place !== null) {
  place.textContent = "";
  render(<Page />, place);
  setInterval(() => nowMs.value = Date.now(), 1_000);
  stayConnected();
}
