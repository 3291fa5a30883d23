/**
 * A bad network between a worker and its master: a TCP proxy that does what networks do.
 *
 * Promise: bytes of one direction keep their order; none is lost but at the end of a connection, as with TCP. Where it
 * cuts and how long it delays is drawn from its seed.
 *
 * @module
 */
import { type Random, seededRandom } from "../../../shared/actor/random.ts";

/** `up` is from the worker to the master. */
export type Direction = "up" | "down";

/** What happens to the connections. Those that last do so until `heal`. */
export type NetworkFault =
  /** Every connection ends. */
  | { readonly type: "drop" }
  /** The next bytes of a direction are cut in their midst, and their connection is reset. */
  | { readonly type: "truncate"; readonly direction: Direction }
  /** One direction of every connection ends, the other goes on. */
  | { readonly type: "half_close"; readonly direction: Direction }
  /** Lasts: bytes come in small pieces, each late. */
  | { readonly type: "delay"; readonly maxMs: number }
  /** Lasts: bytes of a direction wait, and go on when it is healed. */
  | { readonly type: "hold"; readonly direction: Direction }
  /** Lasts: only one direction passes; connections of that time end when it is healed. */
  | { readonly type: "one_way"; readonly direction: Direction }
  /** Lasts: connections are taken and nothing is answered; they end when it is healed. */
  | { readonly type: "black_hole" };

/** Bytes that are read at a time. */
const READ_BYTES = 16_384;
/** Pieces into which delayed bytes are cut have at most this many. */
const PIECE_BYTES = 200;

/** A proxy on a port of its own. */
export class Proxy {
  readonly #target: number;
  readonly #random: Random;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #links = new Set<Link>();
  readonly #changes = new Set<() => void>();
  readonly #joining = new Set<() => void>();
  readonly #accepting: Promise<void>;
  #lasting: NetworkFault | undefined;
  #cutNext: Direction | undefined;

  /** @param target the master's port on this machine */
  constructor(target: number, seed: number) {
    this.#target = target;
    this.#random = seededRandom("proxy", seed);
    this.#accepting = this.#accept();
  }

  /** What the worker is told as its master's address. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Fulfilled when the next connection comes in. */
  joined(): Promise<void> {
    return new Promise((resolve) => this.#joining.add(resolve));
  }

  /** Lets something happen. */
  apply(fault: NetworkFault): void {
    switch (fault.type) {
      case "drop":
        return this.#cutAll();
      case "truncate":
        this.#cutNext = fault.direction;
        return;
      case "half_close":
        for (const link of this.#links) link.halfClose(fault.direction);
        return;
      case "delay":
      case "hold":
      case "one_way":
      case "black_hole":
        this.#lasting = fault;
        this.#changed();
    }
  }

  /** Ends what lasts. */
  heal(): void {
    const lasted = this.#lasting;
    this.#lasting = undefined;
    this.#cutNext = undefined;
    if (lasted?.type === "one_way" || lasted?.type === "black_hole") this.#cutAll();
    this.#changed();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#listener.close();
    const links = [...this.#links];
    this.#cutAll();
    this.#changed();
    await this.#accepting;
    await Promise.all(links.map(({ ended }) => ended));
  }

  /** What becomes of the next bytes of a direction: so many pass, after so long; or the connection ends after them. */
  async gate(
    direction: Direction,
    bytes: number,
    isCut: () => boolean,
  ): Promise<{ pass: number; cut: boolean }> {
    while (this.#isHeld(direction) && !isCut()) await this.#change();
    if (this.#cutNext === direction && bytes > 1) {
      this.#cutNext = undefined;
      return { pass: 1 + this.#random.integer(bytes - 1), cut: true };
    }
    if (this.#lasting?.type !== "delay") return { pass: bytes, cut: false };
    await this.#change(1 + this.#random.integer(this.#lasting.maxMs));
    return { pass: Math.min(bytes, 1 + this.#random.integer(PIECE_BYTES)), cut: false };
  }

  #isHeld(direction: Direction): boolean {
    switch (this.#lasting?.type) {
      case "black_hole":
        return true;
      case "hold":
        return this.#lasting.direction === direction;
      case "one_way":
        return this.#lasting.direction !== direction;
      default:
        return false;
    }
  }

  async #accept(): Promise<void> {
    try {
      for await (const near of this.#listener) this.#join(near);
    } catch {
      // It was closed while one came in.
    }
  }

  async #join(near: Deno.TcpConn): Promise<void> {
    const link = new Link(near, this);
    this.#links.add(link);
    for (const resolve of this.#joining) resolve();
    this.#joining.clear();
    await link.run(this.#target);
    this.#links.delete(link);
  }

  #cutAll(): void {
    for (const link of this.#links) link.cut();
    this.#changed();
  }

  /** Fulfilled at the next change, or after a time. */
  #change(withinMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = withinMs === undefined ? undefined : setTimeout(() => done(), withinMs);
      const done = () => {
        clearTimeout(timer);
        this.#changes.delete(done);
        resolve();
      };
      this.#changes.add(done);
    });
  }

  #changed(): void {
    for (const done of [...this.#changes]) done();
  }
}

/** One connection of the worker's, and the one to the master that belongs to it. */
class Link {
  readonly #near: Deno.TcpConn;
  readonly #proxy: Proxy;
  #far: Deno.TcpConn | undefined;
  #isCut = false;
  ended: Promise<unknown> = Promise.resolve();

  constructor(near: Deno.TcpConn, proxy: Proxy) {
    this.#near = near;
    this.#proxy = proxy;
  }

  async run(port: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    try {
      this.#far = await Deno.connect({ hostname: "127.0.0.1", port });
      if (this.#isCut) this.#far.close();
      else {await Promise.all([
          this.#pump("up", this.#near, this.#far),
          this.#pump("down", this.#far, this.#near),
        ]);}
    } catch {
      // No master listens there now.
    }
    this.cut();
    resolve();
  }

  halfClose(direction: Direction): void {
    const to = direction === "up" ? this.#far : this.#near;
    to?.closeWrite().catch(() => {});
  }

  /** Both sides end; what was not read yet makes a reset of it. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    for (const each of [this.#near, this.#far]) {
      try {
        each?.close();
      } catch {
        // It has ended by itself.
      }
    }
  }

  async #pump(direction: Direction, from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    try {
      for (;;) {
        const read = await from.read(buffer);
        if (read === null) return await to.closeWrite();
        if (!await this.#pass(direction, buffer.subarray(0, read), to)) return this.cut();
      }
    } catch {
      this.cut();
    }
  }

  /** @returns whether the connection goes on */
  async #pass(direction: Direction, bytes: Uint8Array, to: Deno.TcpConn): Promise<boolean> {
    for (let rest = bytes; rest.length > 0;) {
      const { pass, cut } = await this.#proxy.gate(direction, rest.length, () => this.#isCut);
      if (this.#isCut) return false;
      for (let from = 0; from < pass;) from += await to.write(rest.subarray(from, pass));
      if (cut) return false;
      rest = rest.subarray(pass);
    }
    return true;
  }
}
