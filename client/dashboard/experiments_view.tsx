/**
 * Experiments: where each one is, how fast it goes, and what it has found.
 *
 * @module
 */
import { type ExperimentSummary, isOver } from "../../shared/model/experiment.ts";
import { formatDuration } from "../../shared/protocol/duration.ts";
import { experiments, isLoaded, nowMs, paces } from "./live_state.ts";
import { endedTrials, leftMs, spentTrials } from "./pace.ts";
import { count, measured, NOTHING, plural } from "./words.ts";

/** All experiments, those that go on first. */
export function Experiments() {
  const all = experiments.value;
  return (
    <section aria-labelledby="experiments">
      <h2 id="experiments">Experiments</h2>
      {all.length === 0 && isLoaded.value && (
        <p class="empty">
          No experiment yet. Start one: <code>espalier run SPEC</code>
        </p>
      )}
      <div class="cards">
        {all.map((summary) => <Card key={summary.experiment} summary={summary} />)}
      </div>
    </section>
  );
}

function Card({ summary }: { summary: ExperimentSummary }) {
  const { experiment, name, state, reason } = summary;
  return (
    <article class={`card ${isOver(state) ? "over" : ""}`}>
      <div class="card-head">
        <h3>{name}</h3>
        <span class="id">{experiment}</span>
        <span class={`badge state-${state}`}>{state}</span>
      </div>
      {reason !== "" && <p class="reason">{reason}</p>}
      <Progress summary={summary} />
      <Numbers summary={summary} />
      <Best summary={summary} />
    </article>
  );
}

function Progress({ summary }: { summary: ExperimentSummary }) {
  const { trials, budgetTrials, open } = summary;
  const whole = Math.max(1, budgetTrials ?? endedTrials(summary) + open);
  const parts = [
    { name: "completed", amount: trials.completed },
    { name: "pruned", amount: trials.pruned },
    { name: "failed", amount: trials.failed },
    { name: "open", amount: open },
  ];
  let x = 0;
  const label = budgetTrials === null
    ? plural(endedTrials(summary), "trial")
    : `${count(spentTrials(summary))} of ${plural(budgetTrials, "trial")}`;
  return (
    <>
      <svg class="progress" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label={label}>
        {parts.map(({ name, amount }) => {
          const width = Math.min(100 - x, amount / whole * 100);
          const part = <rect key={name} class={`part-${name}`} x={x} y="0" width={width} height="1" />;
          x += width;
          return part;
        })}
      </svg>
      <p class="counts">
        <strong>{label}</strong>
        {parts.slice(1).filter(({ amount }) => amount > 0).map(({ name, amount }) => (
          <span key={name} class={`count-${name}`}>{count(amount)} {name}</span>
        ))}
        {trials.cancelled > 0 && <span>{count(trials.cancelled)} cancelled</span>}
      </p>
    </>
  );
}

function Numbers({ summary }: { summary: ExperimentSummary }) {
  const running = summary.state === "running";
  const perMinute = paces.get(summary.experiment)?.perMinute(summary, nowMs.value) ?? 0;
  const left = leftMs(summary, perMinute);
  const best = bestValue(summary);
  const retries = summary.attempts - endedTrials(summary) - summary.open;
  return (
    <dl class="facts">
      <div>
        <dt>{best === undefined ? "best so far" : `best ${best.metric}`}</dt>
        <dd>
          {best === undefined ? NOTHING : measured(best.value)}
          {summary.best !== null && <small>trial {summary.best.trial}</small>}
        </dd>
      </div>
      <div>
        <dt>trials/min</dt>
        <dd>{running ? measured(Number(perMinute.toFixed(1))) : NOTHING}</dd>
      </div>
      <div>
        <dt>{running ? "time left" : isOver(summary.state) ? "took" : "has run"}</dt>
        <dd>
          {running
            ? left === undefined ? NOTHING : formatDuration(left)
            : formatDuration(summary.seconds * 1e3)}
        </dd>
      </div>
      <div>
        <dt>retries</dt>
        <dd>{count(Math.max(0, retries))}</dd>
      </div>
    </dl>
  );
}

function Best({ summary: { best } }: { summary: ExperimentSummary }) {
  if (best === null) return null;
  return (
    <details>
      <summary>Best candidate</summary>
      <pre>{JSON.stringify(best.candidate, null, 2)}</pre>
      <p class="metrics">
        {Object.entries(best.metrics).map(([name, value]) => <span key={name}>{name} {measured(value)}
        </span>)}
      </p>
    </details>
  );
}

function bestValue({ best, objectives }: ExperimentSummary): { metric: string; value: number } | undefined {
  const metric = objectives[0]?.metric;
  const value = metric === undefined ? undefined : best?.metrics[metric];
  return metric === undefined || value === undefined ? undefined : { metric, value };
}
