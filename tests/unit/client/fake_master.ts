/**
 * A master for the tests of the client's link: it hears what is said over virtual sockets and says what a test wants.
 *
 * @module
 */
import { System } from "../../../shared/actor/system.ts";
import type { Ref } from "../../../shared/actor/actor.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import { commandId, groupId } from "../../../shared/model/ids.ts";
import { VirtualLoop } from "../../../shared/actor/virtual_loop.ts";
import {
  type ChangeEnvelope,
  type FromClient,
  fromClient,
  type ToClient,
} from "../../../shared/protocol/client_envelopes.ts";
import { decodeFrame, encodeFrames } from "../../../shared/protocol/codec.ts";
import type { SocketEvent } from "../../../shared/protocol/socket_port.ts";
import { clientLink } from "../../../client/link.ts";
import type { LinkMessage, LinkState } from "../../../client/link_messages.ts";

/** The epoch of the fake master's first life. */
export const EPOCH = `${"a".repeat(32)}.1.00000001`;
/** The same store, opened again. */
export const NEXT_EPOCH = `${"a".repeat(32)}.2.00000002`;
/** Another store. */
export const OTHER_STORE = `${"b".repeat(32)}.1.00000003`;

/** One connection, from the master's side. */
export class FakeSocket {
  readonly heard: FromClient[] = [];
  /** How many envelopes came in each frame. */
  readonly frames: number[] = [];
  closedWith: number | undefined;

  constructor(readonly url: string, readonly tell: (event: SocketEvent) => void) {}

  open(): void {
    this.tell({
      type: "opened",
      port: {
        send: (bytes) => {
          const frame = decodeFrame<FromClient>(bytes, fromClient);
          if (!frame.ok) {
            throw new Error(`the client sent no frame: ${frame.problem.message} ${frame.problem.path}`);
          }
          this.heard.push(...frame.envelopes);
          this.frames.push(frame.envelopes.length);
        },
        bufferedBytes: () => 0,
        close: (code) => this.closedWith ??= code,
      },
    });
  }

  say(...envelopes: ToClient[]): void {
    for (const bytes of encodeFrames(envelopes)) this.tell({ type: "frame", bytes });
  }

  close(code: number, reason = ""): void {
    this.tell({ type: "closed", code, reason });
  }

  /** The ids of the commands that came, in order, without the link's own. */
  get commands(): string[] {
    return this.heard.flatMap((each) =>
      each.type === "command" && !each.id.startsWith("probe-") ? [each.id] : []
    );
  }
}

/** A link on virtual time, with everything that it told. */
export class LinkStage {
  readonly loop = new VirtualLoop(seededRandom(1));
  readonly sockets: FakeSocket[] = [];
  readonly states: LinkState[] = [];
  readonly replies: string[] = [];
  readonly told: ToClient[] = [];
  readonly delayed: string[] = [];
  readonly broken: string[] = [];
  readonly system = new System(this.loop, "test");
  readonly link: Ref<LinkMessage>;

  constructor(masters: readonly string[] = ["ws://one/socket"]) {
    this.link = this.system.start(
      "link",
      clientLink({
        masters,
        token: "token",
        dialer: { dial: (url, _token, events) => this.sockets.push(new FakeSocket(url, events)) },
        events: {
          state: (state) => this.states.push(state),
          replied: (replies) => this.replies.push(...replies.map(({ id }) => id)),
          told: (envelopes) => this.told.push(...envelopes),
          delayed: (id) => this.delayed.push(id),
          broken: (_subscription, message) => this.broken.push(message),
        },
      }),
    );
    this.settle();
  }

  /** The newest connection. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("the link has not dialed");
    return socket;
  }

  send(message: LinkMessage): void {
    this.system.post(this.link, message);
  }

  /** Lets everything happen that needs no time. */
  settle(): void {
    this.loop.runFor(5);
  }

  /** Opens the newest connection. */
  open(): FakeSocket {
    this.socket.open();
    this.settle();
    return this.socket;
  }

  /** Ends the newest connection, waits for the next dial, and opens it. */
  reconnect(code = 1006): FakeSocket {
    const before = this.sockets.length;
    this.socket.close(code);
    this.loop.runUntil(() => this.sockets.length > before, this.loop.now() + 60_000);
    return this.open();
  }

  end(): void {
    this.system.halt();
  }
}

/** A reply that says yes. */
export function yes(id: string, value: unknown = {}, commit = 1, epoch = EPOCH): ToClient {
  return { type: "reply", id: commandId(id), ok: true, value, epoch, commit };
}

/** A reply that says no. */
export function no(id: string, code: string, retryAfterMs: number | null): ToClient {
  const error = { code, message: code, path: "", advice: "", retryAfterMs };
  return { type: "reply", id: commandId(id), ok: false, error, epoch: EPOCH, commit: 1 };
}

/** The beginning of a log. */
export function begun(commit: number, epoch = EPOCH, subscription = "log"): ToClient {
  return { type: "snapshot", subscription, epoch, commit, entries: [] };
}

/** Changes that a log tells: one for each name. */
export function changed(commit: number, ...groups: string[]): ChangeEnvelope {
  return {
    type: "change",
    subscription: "log",
    commit,
    changes: groups.map((group) => ({
      kind: "submitted" as const,
      group: groupId(group),
      first: 1,
      count: 1,
    })),
    entries: [],
  };
}
