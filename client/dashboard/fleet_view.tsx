/**
 * The fleet: each worker, what it does, and how it is.
 *
 * @module
 */
import type { DeviceLive, GpuVitals, WorkerLive } from "../../shared/model/live.ts";
import { isLoaded, workers } from "./live_state.ts";
import { bytes, count, NOTHING, percent } from "./words.ts";

/** A worker that has fewer slots shows each of them. */
const SLOTS_DRAWN_MAX = 32;

/** All workers by name. */
export function Fleet() {
  const all = workers.value;
  return (
    <section aria-labelledby="workers">
      <h2 id="workers">Workers</h2>
      {all.length === 0 && isLoaded.value && (
        <p class="empty">
          No worker is connected, so nothing runs. Start one: <code>espalier worker</code>
        </p>
      )}
      {all.length > 0 && (
        <table class="fleet">
          <thead>
            <tr>
              <th>Name</th>
              <th>State</th>
              <th>Slots</th>
              <th>CPU</th>
              <th>Memory</th>
              <th>GPU</th>
              <th>Round trip</th>
            </tr>
          </thead>
          <tbody>{all.map((worker) => <Row key={worker.id} worker={worker} />)}</tbody>
        </table>
      )}
    </section>
  );
}

function Row({ worker }: { worker: WorkerLive }) {
  const { id, state, facts, vitals, roundTripMs, reattachments, probation, devices } = worker;
  const machine = `${facts.hostname}, ${facts.os} ${facts.arch}, ${facts.software}`;
  return (
    <tr class={`worker-${state}`}>
      <th scope="row" title={machine}>{id}</th>
      <td data-name="State">
        <span class={`badge worker-state-${state}`}>{state}</span>
        {probation !== null && <span class="badge warning" title={probation}>on probation</span>}
        {reattachments > 0 && <small>came back {reattachments}×</small>}
      </td>
      <td data-name="Slots">
        <Slots worker={worker} />
      </td>
      <td data-name="CPU">
        {percent(vitals?.cpuPercent ?? null)} <small>of {facts.cpus}</small>
      </td>
      <td data-name="Memory">
        {vitals?.memoryUsedBytes == null ? NOTHING : bytes(vitals.memoryUsedBytes)}{" "}
        <small>of {bytes(facts.memoryBytes)}</small>
      </td>
      <td data-name="GPU">
        {vitals === null || vitals.gpus.length === 0
          ? NOTHING
          : vitals.gpus.map((gpu) => <Gpu key={gpu.uuid} gpu={gpu} />)}
        {devices.map((device) => <GivenOut key={device.id} device={device} />)}
      </td>
      <td data-name="Round trip">
        {roundTripMs === null
          ? NOTHING
          : `${roundTripMs < 10 ? roundTripMs.toFixed(1) : Math.round(roundTripMs)} ms`}
      </td>
    </tr>
  );
}

function Slots({ worker: { slots, running, queued } }: { worker: WorkerLive }) {
  const drawn = Array.from({ length: slots <= SLOTS_DRAWN_MAX ? slots : 0 }, (_, index) => index < running);
  return (
    <>
      {drawn.length > 0 && (
        <svg class="slots" width={drawn.length * 9} height="12" aria-hidden="true">
          {drawn.map((isBusy, index) => (
            <rect
              key={index}
              class={isBusy ? "busy" : "free"}
              x={index * 9}
              y="1"
              width="7"
              height="10"
              rx="1.5"
            />
          ))}
        </svg>
      )}
      {count(running)}/{count(slots)}
      {queued > 0 && <small>+{count(queued)} waiting there</small>}
    </>
  );
}

/** What is given out of a GPU, and why nothing is where it is out of service. */
function GivenOut({ device: { id, name, used, trouble } }: { device: DeviceLive }) {
  if (trouble !== null) {
    return <span class="badge warning" title={`${id}: ${trouble}`}>{id} out of service</span>;
  }
  if (used === 0) return null;
  return <small title={`${id} ${name}`}>{id}: {percent(used * 100)} given out</small>;
}

function Gpu({ gpu }: { gpu: GpuVitals }) {
  const memory = gpu.usedBytes === null || gpu.memoryBytes === null
    ? ""
    : `, ${bytes(gpu.usedBytes)} of ${bytes(gpu.memoryBytes)}`;
  return (
    <span class="gpu" title={gpu.name}>
      {gpu.index}: {percent(gpu.utilizationPercent)}
      {memory}
    </span>
  );
}
