/**
 * Reads what commands wrote about their devices, and holds it against what devices allow.
 *
 * @module
 */

/** What was found wrong, and how much was seen at once. */
export interface Audit {
  readonly wrongs: readonly string[];
  /** Executions that were begun. */
  readonly begun: number;
  /** Devices on which anything ran. */
  readonly devices: ReadonlySet<string>;
  /** The most that ran on one device at one time. */
  readonly mostAtOnce: number;
}

interface Execution {
  readonly devices: readonly string[];
  readonly share: number;
}

/**
 * Follows lines as they were appended: `begin EXECUTION DEVICES SHARE`, `end EXECUTION`, and `dead WORKER` once nothing of
 * what a killed worker ran is alive. Devices are called `GPU-WORKER-INDEX`.
 */
export function audit(text: string): Audit {
  const running = new Map<string, Execution>();
  const wrongs: string[] = [];
  const seen = new Set<string>();
  let begun = 0;
  let mostAtOnce = 0;
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const [event, subject = "", devices = "", share = ""] = line.split(" ");
    if (event === "end") running.delete(subject);
    else if (event === "dead") removeOf(subject, running);
    else {
      begun += 1;
      const execution = { devices: devices.split(","), share: Number(share) };
      running.set(subject, execution);
      if (devices === "" || execution.devices.length !== Math.ceil(execution.share)) {
        wrongs.push(`${subject} asked for ${share} and has ${devices || "none"}`);
      }
      for (const device of execution.devices) {
        seen.add(device);
        const on = [...running.values()].filter((each) => each.devices.includes(device));
        const used = on.reduce((sum, each) => sum + Math.min(1, each.share), 0);
        mostAtOnce = Math.max(mostAtOnce, on.length);
        if (used > 1 + 1e-9) wrongs.push(`${used} of ${device} at ${line}`);
      }
    }
  }
  return { wrongs, begun, devices: seen, mostAtOnce };
}

function removeOf(worker: string, running: Map<string, Execution>): void {
  for (const [subject, { devices }] of running) {
    if (devices.some((device) => device.startsWith(`GPU-${worker}-`))) running.delete(subject);
  }
}
