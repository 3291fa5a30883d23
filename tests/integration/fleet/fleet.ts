/**
 * A master and its workers as real processes over real sockets and a real disk, to be killed.
 *
 * @module
 */
import { type Client, connect, type ConnectOptions } from "../../../client/mod.ts";
import { Member } from "./member.ts";
import type { MasterRole, WorkerRole } from "./role.ts";

/** Short enough for a test, long enough that two busy cores are not taken for silence. */
const INTERVALS = { heartbeatMs: 3_000, lostAfterMs: 10_000 };
/** The heap of evaluators: enough for the harness and any fixture. */
const HEAP_MIB = 512;
const ROLE = new URL("./role.ts", import.meta.url).pathname;

/** A test with a fleet that is put away after it. */
export function withFleet(
  name: string,
  body: (fleet: Fleet) => Promise<void>,
  options: Omit<Deno.TestDefinition, "name" | "fn"> = {},
): void {
  Deno.test({
    name,
    timeout: 60_000,
    ...options,
    fn: async () => {
      const fleet = new Fleet();
      try {
        await body(fleet);
      } finally {
        await fleet.end();
      }
    },
  });
}

/** Processes, the folder they work in, and the clients that were connected to them. */
export class Fleet {
  readonly folder = Deno.makeTempDirSync({ prefix: "espalier-fleet-" });
  readonly #members: Member[] = [];
  readonly #clients: Client[] = [];
  #url = "";

  /** The master's data folder. */
  get data(): string {
    return `${this.folder}/master`;
  }

  /** The address that the master got at its first start, and has at every later one. */
  get url(): string {
    return this.#url;
  }

  get port(): number {
    return this.#url === "" ? 0 : Number(new URL(this.#url).port);
  }

  /** Starts the master, and waits until it takes workers and clients. @param shell see `command` */
  async master(options: Partial<MasterRole> = {}, shell?: string): Promise<Member> {
    const role = this.masterRole(options);
    const member = this.start(command("master", role, shell));
    const { url, refused } = await member.until((word) =>
      word.url !== undefined || word.refused !== undefined
    );
    if (url === undefined) throw new Error(`the master was refused: ${refused}`);
    this.#url = url;
    return member;
  }

  /** What a master of this fleet is given. */
  masterRole(options: Partial<MasterRole> = {}): MasterRole {
    return {
      dataFolder: this.data,
      host: "127.0.0.1",
      port: this.port,
      ...INTERVALS,
      prefetchMax: 16,
      acceptLoss: false,
      graceMs: 0,
      ...options,
    };
  }

  /** Starts a worker, by its name: one of the same name has the same data folder. */
  worker(name: string, options: Partial<WorkerRole> = {}): Member {
    const role: WorkerRole = {
      masters: [this.#url],
      token: this.token("worker"),
      dataFolder: `${this.folder}/${name}`,
      slots: 1,
      graceMs: 0,
      heapMiB: HEAP_MIB,
      ...options,
    };
    return this.start(command("worker", role));
  }

  /** Starts any process of `role.ts`. */
  start(line: readonly string[]): Member {
    const member = new Member(line);
    this.#members.push(member);
    return member;
  }

  /** A token of the master's. */
  token(role: "admin" | "submit" | "view" | "worker"): string {
    return JSON.parse(Deno.readTextFileSync(`${this.data}/tokens.json`))[role];
  }

  /** Connects a client. */
  async client(options: Partial<ConnectOptions> = {}): Promise<Client> {
    const client = await connect({ url: this.#url, token: this.token("admin"), ...options });
    this.#clients.push(client);
    return client;
  }

  /** Kills all that still runs. */
  async stopAll(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
    // A stopped process is killed as well; workers go first, since they would look for their master.
    await Promise.all(this.#members.splice(0).reverse().map((member) => member.kill()));
  }

  /** Kills all that still runs, and removes the folder. */
  async end(): Promise<void> {
    await this.stopAll();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/**
 * The command line of a member.
 *
 * @param shell what a shell does before it becomes the process, such as setting a limit
 */
export function command(
  role: "master" | "worker",
  options: MasterRole | WorkerRole,
  shell?: string,
): string[] {
  const line = [Deno.execPath(), "run", "--allow-all", "--no-check", ROLE, role, JSON.stringify(options)];
  return shell === undefined ? line : ["bash", "-c", `${shell}; exec "$@"`, "-", ...line];
}
