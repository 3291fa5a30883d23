/**
 * The floors of the house: which file stands on which, and which floors are pure.
 *
 * A new file that meets the world (sockets, disks, processes, clocks) belongs to `the world`: where its room is
 * otherwise one of `state`, name it there.
 *
 * @module
 */

/** A floor, and what belongs to it. */
export interface Floor {
  readonly name: "ground" | "protocol" | "platform" | "state" | "the world" | "trees" | "main";
  /** Imports go to the same height or down. */
  readonly height: number;
  /** Whether time, chance and the world reach it only as messages and through the actor's context. */
  readonly pure: boolean;
  readonly holds: RegExp;
}

/** A file belongs to the first floor that holds it. */
export const FLOORS: readonly Floor[] = [
  { name: "ground", height: 0, pure: true, holds: /^shared\/(actor|model|space)\// },
  { name: "protocol", height: 1, pure: true, holds: /^shared\/protocol\// },
  { name: "platform", height: 2, pure: false, holds: /^shared\/platform\// },
  { name: "main", height: 5, pure: false, holds: /^main\.ts$/ },
  { name: "trees", height: 4, pure: false, holds: /^(master|worker|client)\/(.+\/)?(tree|start)\.ts$/ },
  {
    name: "the world",
    height: 3,
    pure: false,
    holds:
      /^master\/gateway\/(listener|bind|tokens[^/]*|credentials|pages|web_socket_port|http[^/]*)\.tsx?$|^worker\/(identity|journal|seen_file)\.ts$/,
  },
  {
    name: "state",
    height: 2,
    pure: true,
    holds: new RegExp(
      [
        "^master/(cluster|scheduling|search|experiments|gateway)/",
        "^master/store/[^/]+\\.ts$",
        // What meets the disk has a folder of its own.
        "^master/logs/[^/]+\\.ts$",
        "^worker/[^/]+\\.ts$",
        // The interface of the seam; what is behind it belongs to the world.
        "^worker/executors/executor\\.ts$",
        "^client/(link[^/]*|subscriptions|replies|log_tail)\\.ts$",
      ].join("|"),
    ),
  },
  { name: "the world", height: 3, pure: false, holds: /^(master|worker|client)\// },
];

/** The floor of a file; `undefined` where it is no part of the house (tests, scripts, examples). */
export function floorOf(path: string): Floor | undefined {
  return FLOORS.find(({ holds }) => holds.test(path));
}

/** What the rooms of the two lowest floors may import besides their own files. */
export const MAY_IMPORT: Readonly<Record<string, RegExp>> = {
  "shared/actor/": /^$/,
  "shared/model/": /^$/,
  // The stream of random numbers is a type that has its home in the kernel.
  "shared/space/": /^shared\/actor\/random\.ts$/,
  "shared/protocol/": /^shared\/(actor|model|space)\//,
  // The platform's socket and transfers are implementations of the protocol's ports, within its limits.
  "shared/platform/": /^shared\/(actor\/|model\/|protocol\/(socket_port|artifact_port|limits)\.ts$)/,
};

/** Imports that may close a cycle, and why. */
export const MAY_CLOSE_A_CYCLE: Readonly<Record<string, string>> = {
  "master/cluster/worker_record.ts imports master/cluster/live_task.ts":
    "types only: a worker's record and the attempts it runs point at each other",
};
