/**
 * The processes that a worker has started: each evaluator leads a process group of its own.
 *
 * @module
 */

/** The groups that children of a process lead. */
export function groupsOf(parent: number): Set<number> {
  const groups = new Set<number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      // After the name, which may hold anything: state, parent, group (proc(5)).
      const [, itsParent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(itsParent) === parent && group === name) groups.add(Number(group));
    } catch {
      // It ended while the folder was read.
    }
  }
  return groups;
}
