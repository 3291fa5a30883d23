/**
 * Functions whose optimum is known, as problems for a search: `sphere`, `branin`, `hartmann6`, and `mixed`, which has
 * choices, integers and a condition.
 *
 * @module
 */
import { seededRandom } from "../../shared/actor/random.ts";
import { choice, integer, parameters, real } from "../../shared/space/builders.ts";
import type { Candidate } from "../../shared/space/candidate.ts";
import type { Parameters } from "../../shared/space/parameter.ts";
import type { SearchProblem } from "./search_problem.ts";

/** Not in the middle of the space, where some algorithms look by themselves. */
const SPHERE_CENTRE = [-3.1, 1.7, 0.4, 4.2, -1.3] as const;
const BRANIN_OPTIMUM = 0.39788735772973816;
const HARTMANN6_OPTIMUM = -3.32236801141551;

/** The least and the most that a trial takes on the virtual clock. */
const SECONDS = { min: 30, max: 90 } as const;

const BRANIN_PARAMETERS: Parameters = { x1: real(-5, 10), x2: real(0, 15) };

/** The problems by name. */
export const ANALYTIC_PROBLEMS: Readonly<Record<string, SearchProblem>> = {
  sphere: problem(
    "sphere",
    0,
    named("x", SPHERE_CENTRE.length, -5, 5),
    (candidate) =>
      SPHERE_CENTRE.reduce(
        (sum, centre, index) => sum + (number(candidate, `x${index + 1}`) - centre) ** 2,
        0,
      ),
  ),
  branin: problem("branin", BRANIN_OPTIMUM, BRANIN_PARAMETERS, branin),
  hartmann6: problem("hartmann6", HARTMANN6_OPTIMUM, named("x", 6, 0, 1), hartmann6),
  mixed: problem("mixed", BRANIN_OPTIMUM, {
    ...BRANIN_PARAMETERS,
    method: choice(["plain", "corrected", "wild"]),
    correction: real(-1, 1, { when: { parameter: "method", equals: "corrected" } }),
    steps: integer(1, 64, { log: true }),
  }, mixed),
};

function problem(
  name: string,
  optimum: number,
  of: Parameters,
  value: (candidate: Candidate) => number,
): SearchProblem {
  return {
    name,
    space: parameters(of),
    direction: "minimize",
    optimum,
    evaluate: (candidate) => ({ value: value(candidate), seconds: secondsOf(candidate) }),
  };
}

/** Uneven, so that trials overtake one another; the same for the same candidate. */
function secondsOf(candidate: Candidate): number {
  return SECONDS.min + (SECONDS.max - SECONDS.min) * seededRandom(JSON.stringify(candidate)).next();
}

function named(letter: string, count: number, min: number, max: number): Parameters {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${letter}${index + 1}`, real(min, max)]),
  );
}

function number(candidate: Candidate, name: string): number {
  const value = candidate[name];
  if (typeof value !== "number") throw new TypeError(`${name} is no number in ${JSON.stringify(candidate)}`);
  return value;
}

/** Source: Branin (1972), with the constants of Dixon and Szegoe (1978). */
function branin(candidate: Candidate): number {
  const x1 = number(candidate, "x1"), x2 = number(candidate, "x2");
  const bent = x2 - 5.1 / (4 * Math.PI ** 2) * x1 ** 2 + 5 / Math.PI * x1 - 6;
  return bent ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x1) + 10;
}

/** Branin, reached only by the one method whose own parameter is right, after as many steps as are right. */
function mixed(candidate: Candidate): number {
  const method = candidate["method"];
  const lost = method === "corrected"
    ? 5 * (number(candidate, "correction") - 0.3) ** 2
    : method === "plain"
    ? 1
    : 3;
  return branin(candidate) + lost + 0.5 * (Math.log2(number(candidate, "steps")) - 3) ** 2;
}

const HARTMANN6 = [
  { alpha: 1, a: [10, 3, 17, 3.5, 1.7, 8], p: [1312, 1696, 5569, 124, 8283, 5886] },
  { alpha: 1.2, a: [0.05, 10, 17, 0.1, 8, 14], p: [2329, 4135, 8307, 3736, 1004, 9991] },
  { alpha: 3, a: [3, 3.5, 1.7, 10, 17, 8], p: [2348, 1451, 3522, 2883, 3047, 6650] },
  { alpha: 3.2, a: [17, 8, 0.05, 10, 0.1, 14], p: [4047, 8828, 8732, 5743, 1091, 381] },
] as const;

/** Source: Hartmann (1973), with the constants of Dixon and Szegoe (1978). */
function hartmann6(candidate: Candidate): number {
  return -HARTMANN6.reduce((sum, { alpha, a, p }) => {
    const far = a.reduce(
      (distance, weight, index) =>
        distance + weight * (number(candidate, `x${index + 1}`) - (p[index] ?? 0) / 10_000) ** 2,
      0,
    );
    return sum + alpha * Math.exp(-far);
  }, 0);
}
