/**
 * The supervision tree: who watches over whom, and what had to be started again.
 *
 * @module
 */
import type { TreeLive } from "../../shared/model/live.ts";
import { isLoaded, tree } from "./live_state.ts";
import { count, plural } from "./words.ts";

/** More siblings than this are counted, not shown: there may be thousands of sessions. */
const SIBLINGS_MAX = 24;
/** Notes that the page shows in a way of their own. */
const NOTES_SHOWN = new Set(["strategy", "restarts", "last failure"]);

/** The tree of the master's actors, connected workers included. */
export function Tree() {
  const root = tree.value;
  return (
    <section aria-labelledby="tree">
      <h2 id="tree">Supervision tree</h2>
      {root === undefined
        ? isLoaded.value && <p class="empty">The master shows no tree.</p>
        : (
          <ul class="tree">
            <Node node={root} />
          </ul>
        )}
    </section>
  );
}

function Node({ node }: { node: TreeLive }) {
  const children = node.children.slice(0, SIBLINGS_MAX);
  const remote = node.remote.slice(0, SIBLINGS_MAX);
  const hidden = node.children.length - children.length + node.remote.length - remote.length;
  return (
    <li>
      <div class="node">
        <strong>{node.name}</strong>
        <Notes node={node} />
      </div>
      {(children.length > 0 || remote.length > 0) && (
        <ul>
          {remote.map(({ name, state }) => (
            <li key={`remote ${name}`}>
              <div class="node remote">
                <strong>{name}</strong>
                <span>{state}, elsewhere</span>
              </div>
            </li>
          ))}
          {children.map((child) => <Node key={child.path} node={child} />)}
          {hidden > 0 && <li class="hidden">and {count(hidden)} more</li>}
        </ul>
      )}
    </li>
  );
}

function Notes({ node: { state, notes, mailbox, handled } }: { node: TreeLive }) {
  const { strategy, restarts } = notes;
  const failure = notes["last failure"];
  const others = Object.entries(notes).filter(([name]) => !NOTES_SHOWN.has(name));
  return (
    <>
      {state !== "running" && <span class="badge warning">{state}</span>}
      {strategy !== undefined && <span>{strategy}</span>}
      {typeof restarts === "number" && restarts > 0 && (
        <span class="badge warning">{plural(restarts, "restart")}</span>
      )}
      {failure !== undefined && <span class="failure">last failure: {failure}</span>}
      {others.map(([name, value]) => <span key={name}>{name}: {value}</span>)}
      {strategy === undefined && <span>{count(handled)} handled</span>}
      {mailbox > 0 && <span>{count(mailbox)} waiting</span>}
    </>
  );
}
