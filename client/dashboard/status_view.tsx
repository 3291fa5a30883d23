/**
 * The top of the page: how the page stands with the master, and the master in a few numbers.
 *
 * @module
 */
import { formatDuration } from "../../shared/protocol/duration.ts";
import { isLoaded, type Link, link, nowMs, status, workers } from "./live_state.ts";
import { count, NOTHING } from "./words.ts";

/** Name, connection and numbers. */
export function Overview() {
  const now = status.value;
  const connected = workers.value.filter(({ state }) => state === "connected");
  const slots = connected.reduce((sum, worker) => sum + worker.slots, 0);
  return (
    <header>
      <div class="title">
        <img src="/icon.svg" alt="" width="28" height="28" />
        <h1>Espalier</h1>
        <LinkBadge link={link.value} />
      </div>
      <dl class="numbers">
        <Number name="workers" value={isLoaded.value ? count(connected.length) : NOTHING} />
        <Number
          name="running"
          value={now === undefined ? NOTHING : count(now.queue.running)}
          of={count(slots)}
        />
        <Number name="waiting" value={now === undefined ? NOTHING : count(now.queue.pending)} />
        <Number name="to be tried again" value={now === undefined ? NOTHING : count(now.queue.delayed)} />
        <Number name="commits" value={now === undefined ? NOTHING : count(now.commit)} />
        <Number
          name="up"
          value={now === undefined ? NOTHING : upWords(nowMs.value - now.startedAtMs)}
        />
      </dl>
    </header>
  );
}

function Number({ name, value, of }: { name: string; value: string; of?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {of !== undefined && <small>/{of}</small>}
      </dd>
    </div>
  );
}

const LINK_WORDS: Readonly<Record<Link["state"], string>> = {
  connecting: "connecting",
  connected: "live",
  lost: "disconnected",
  refused: "disconnected",
};

function LinkBadge({ link }: { link: Link }) {
  return <span class={`badge link-${link.state}`}>{LINK_WORDS[link.state]}</span>;
}

/** What is wrong, where something is. */
export function Banner() {
  const now = link.value;
  const store = status.value?.store;
  return (
    <div role="status" aria-live="polite">
      {now.state === "lost" && (
        <p class="banner warning">
          Disconnected: {now.why}. {isLoaded.value && "What you see is from before. "}
          {retryWords(now.retryAtMs)}
        </p>
      )}
      {now.state === "refused" && <p class="banner error">Disconnected: {now.why}. {now.advice}</p>}
      {store?.state === "degraded" && (
        <p class="banner error">
          The store cannot be relied on: {store.reason}. Results wait until it works again.
        </p>
      )}
    </div>
  );
}

function retryWords(retryAtMs: number): string {
  const seconds = Math.ceil((retryAtMs - nowMs.value) / 1_000);
  return seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again.";
}

/** In whole seconds: the page's clock ticks once a second. */
function upWords(spanMs: number): string {
  return formatDuration(Math.max(1, Math.round(spanMs / 1_000)) * 1_000);
}
