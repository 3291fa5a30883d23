/**
 * The harness: what runs in an evaluator's process, around the evaluator.
 *
 * Promise: each attempt is answered once, unless the process dies; the worker sees that. It reads its standard input only
 * between attempts: while one runs, nothing of the harness keeps the event loop alive, so an evaluator that waits for
 * what can never come is found out. For the same reason it is asked to stop by a signal, which keeps no loop alive.
 *
 * @module
 */
import { describeFailure } from "./failure.ts";
import { decodeBody, encodeFrame, LENGTH_BYTES, lengthAt, prefixOf } from "./frame.ts";
import { type Data, Keeping, type RestoredCheckpoint } from "./keeping.ts";
import type { Answer, Begin, Evaluate, Failure } from "./message.ts";
import { isMetrics, METRICS_ADVICE, metricsProblem, type Numbers } from "./metrics.ts";

/** An attempt while it runs. */
interface Current {
  readonly controller: AbortController;
  /** Ends it from outside of the evaluator's own promise. */
  readonly fail: (failure: Failure) => void;
  /** Whether someone waits for the signal: then an idle event loop is not the end. */
  readonly isListening: () => boolean;
}

type Evaluator = (candidate: unknown, context: unknown) => unknown;

/** Asks for the attempt to stop; see the note on top. */
const STOP_SIGNAL = "SIGUSR2";
/** Longer stacks than V8's ten frames, since frames of libraries are left out. */
const STACK_FRAMES = 50;
/** A timer of this length only keeps the event loop alive. */
const FOREVER_MS = 2 ** 30;

// Taken before the evaluator can put something else in their place.
const input = Deno.stdin.read.bind(Deno.stdin);
const output = Deno.stdout.writeSync.bind(Deno.stdout);
const errors = Deno.stderr.writeSync.bind(Deno.stderr);
const exit = Deno.exit.bind(Deno);

let prefix = new Uint8Array();
let mark = "";
let folder = "";
let scratch = "";
let current: Current | undefined;
/** A stop that came before its attempt was read. */
let stopCameEarly = false;
let unread = new Uint8Array();

async function main(): Promise<void> {
  Error.stackTraceLimit = STACK_FRAMES;
  addEventListener("unhandledrejection", (event) => inBackground(event, event.reason, "a rejected promise"));
  addEventListener("error", (event) => inBackground(event, event.error, "an error"));
  addEventListener("beforeunload", idle);
  const begin = await next<Begin>();
  mark = begin.mark;
  prefix = prefixOf(mark);
  folder = begin.folder;
  scratch = begin.scratch;
  hideInput();
  const evaluator = await load(begin.module);
  if (evaluator === undefined) return exit(0);
  // Not before: with a listener, Deno does not notice that a module's top-level await can never end.
  Deno.addSignalListener(STOP_SIGNAL, stop);
  say({ type: "loaded" });
  for (;;) say(await attempt(evaluator, await next<Evaluate>()));
}

/** The next message of the worker. Ends the process where there will be none: the worker has gone or wants no more. */
async function next<Message>(): Promise<Message> {
  const chunk = new Uint8Array(64 * 1024);
  for (;;) {
    const end = unread.length < LENGTH_BYTES ? Infinity : LENGTH_BYTES + lengthAt(unread, 0);
    if (unread.length >= end) {
      // The worker started this harness: both are of one version.
      const message = decodeBody(unread.subarray(LENGTH_BYTES, end)) as Message;
      unread = unread.slice(end);
      return message;
    }
    const count = await input(chunk);
    if (count === null) return exit(0);
    const joined = new Uint8Array(unread.length + count);
    joined.set(unread);
    joined.set(chunk.subarray(0, count), unread.length);
    unread = joined;
  }
}

/** Writes at once, and waits where the worker is slow to read: a report is never lost in a process that is killed. */
function say(answer: Answer): void {
  let rest = encodeFrame(answer, prefix);
  while (rest.length > 0) rest = rest.subarray(output(rest));
}

/** An evaluator that reads its standard input would swallow the next attempt: to it, the input has ended. */
function hideInput(): void {
  Object.defineProperty(Deno.stdin, "read", { value: () => Promise.resolve(null) });
  Object.defineProperty(Deno.stdin, "readSync", { value: () => null });
  Object.defineProperty(Deno.stdin, "readable", { value: new Blob([]).stream() });
}

async function load(module: string): Promise<Evaluator | undefined> {
  const path = decodeURIComponent(module.replace("file://", ""));
  const failed = new Promise<Failure>((resolve) => {
    const fail = (failure: Failure) => resolve(duringLoad(failure, path));
    current = { controller: new AbortController(), fail, isListening: () => false };
  });
  const loaded = import(module).then(
    ({ evaluate }: { evaluate?: unknown }): Evaluator | Failure =>
      isFunction(evaluate) ? evaluate : { message: `${path} exports no function evaluate`, final: true },
    (error) => describeLoadFailure(error, path),
  );
  const result = await Promise.race([loaded, failed]);
  current = undefined;
  if (typeof result === "function") return result;
  say({ type: "unloadable", ...result });
  return undefined;
}

function isFunction(value: unknown): value is Evaluator {
  return typeof value === "function";
}

function describeLoadFailure(error: unknown, path: string): Failure {
  const failure = describeFailure(error, folder);
  // Deno gives this code to all that keeps a module graph from being built: missing files, refused ones, syntax.
  const isBroken = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
  const message = failure.message.replace(/^TypeError: /, "");
  return isBroken ? { message: `cannot load ${path}: ${message}`, final: true } : duringLoad(failure, path);
}

function duringLoad(failure: Failure, path: string): Failure {
  return { ...failure, message: `${path} failed while it was loaded: ${failure.message}` };
}

/** Runs one attempt to its end. */
async function attempt(evaluate: Evaluator, message: Evaluate): Promise<Answer> {
  const { id, candidate, architecture, seed, trial, attempt, restored } = message;
  const controller = new AbortController();
  const keeping = new Keeping(scratch, id);
  let isOver = false;
  const tell = (answer: () => Answer) => {
    if (!isOver) say(answer());
  };
  const context = {
    architecture,
    seed,
    trial,
    attempt,
    signal: controller.signal,
    restored: keeping.restored(restored) satisfies RestoredCheckpoint | undefined,
    /** The attempt's own folder. */
    get folder() {
      return keeping.folder();
    },
    report: (step: unknown, metrics: unknown) =>
      tell(() => ({ type: "report", id, ...checkReport(step, metrics) })),
    checkpoint: (step: unknown, data: Data) => tell(() => keeping.checkpoint(step, data)),
    artifact: (name: unknown, data: Data) => tell(() => keeping.artifact(name, data)),
  };
  const failed = new Promise<Failure>((fail) => {
    current = { controller, fail, isListening: listenersOf(controller.signal) };
  });
  if (stopCameEarly) stop();
  const ended = await Promise.race([
    failed.then((failure) => ({ ...failure, spent: true })),
    run(evaluate, candidate, context),
  ]);
  isOver = true;
  current = undefined;
  const { aborted } = controller.signal;
  const marked = markPrints(id);
  return "metrics" in ended
    ? { type: "completed", id, metrics: ended.metrics, aborted, marked }
    : { type: "failed", id, aborted, marked, ...ended };
}

/** What comes in standard error after this is of the next attempt. @returns whether it could be written */
function markPrints(id: number): boolean {
  try {
    let rest = new TextEncoder().encode(`\0${mark} ${id}\n`);
    while (rest.length > 0) rest = rest.subarray(errors(rest));
    return true;
  } catch {
    // The evaluator has closed it.
    return false;
  }
}

type Ended = { readonly metrics: Numbers } | (Failure & { readonly spent: boolean });

async function run(evaluate: Evaluator, candidate: unknown, context: unknown): Promise<Ended> {
  try {
    const metrics = await evaluate(candidate, context);
    if (isMetrics(metrics)) return { metrics };
    const message = `evaluate must return metrics, but ${metricsProblem(metrics)}: ${METRICS_ADVICE}`;
    return { message, final: false, spent: false };
  } catch (thrown) {
    return { ...describeFailure(thrown, folder), spent: false };
  }
}

function checkReport(step: unknown, metrics: unknown): { step: number; metrics: Numbers } {
  if (typeof step !== "number" || !Number.isSafeInteger(step) || step < 0) {
    throw new TypeError(`report needs a step, a whole number from 0, and was given ${Deno.inspect(step)}`);
  }
  if (isMetrics(metrics)) return { step, metrics };
  throw new TypeError(`report needs metrics, but ${metricsProblem(metrics)}: ${METRICS_ADVICE}`);
}

/** Tells whether anyone listens to a signal. */
function listenersOf(signal: AbortSignal): () => boolean {
  let isHeard = false;
  const addEventListener = signal.addEventListener.bind(signal);
  Object.defineProperty(signal, "addEventListener", {
    value: (...args: Parameters<typeof addEventListener>) => {
      isHeard = true;
      addEventListener(...args);
    },
  });
  return () => isHeard || signal.onabort !== null;
}

function stop(): void {
  stopCameEarly = current === undefined;
  current?.controller.abort(new DOMException("the attempt was told to stop", "AbortError"));
}

/** What failed beside the evaluator's own promise ends the attempt: its result could not be trusted. */
function inBackground(event: Event, thrown: unknown, what: string): void {
  event.preventDefault();
  const { message, ...failure } = describeFailure(thrown, folder);
  if (current === undefined) {
    return console.error(`after the attempt, ${what} that nobody handled: ${message}`);
  }
  current.fail({ ...failure, message: `in the background, ${what} that nobody handled: ${message}` });
}

/** The event loop has nothing left to wait for. */
function idle(event: Event): void {
  event.preventDefault();
  if (current === undefined) return;
  const { controller: { signal }, fail, isListening } = current;
  if (isListening() && !signal.aborted) {
    const alive = setInterval(() => {}, FOREVER_MS);
    return signal.addEventListener("abort", () => clearInterval(alive));
  }
  fail({ message: "the evaluator waits for a promise that nothing is left to resolve", final: false });
}

main();
