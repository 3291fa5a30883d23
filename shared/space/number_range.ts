/**
 * Integers and reals on the unit interval, where drawing, mutating and modelling them look alike.
 *
 * @module
 */
import type { IntegerNode, RealNode } from "./node.ts";

/** The value at a place in [0, 1) of the parameter's own scale, linear or logarithmic. */
export function fromUnit(node: IntegerNode | RealNode, unit: number): number {
  const { low, high } = scaleOf(node);
  const scaled = low + unit * (high - low);
  const value = node.log ? Math.exp(scaled) : scaled;
  return node.type === "real"
    ? clamp(value, node.min, node.max)
    : integerAt(node, Math.floor((value - node.min) / node.step));
}

/** The place of a value in [0, 1]; the inverse of `fromUnit`, an integer being the middle of its stretch. */
export function toUnit(node: IntegerNode | RealNode, value: number): number {
  const { low, high } = scaleOf(node);
  if (high === low) return 0;
  const middle = node.type === "real" ? value : value + node.step / 2;
  return ((node.log ? Math.log(middle) : middle) - low) / (high - low);
}

/** The closest value that the parameter has. */
export function nearest(node: IntegerNode | RealNode, value: number): number {
  if (node.type === "real") return clamp(value, node.min, node.max);
  return integerAt(node, Math.round((value - node.min) / node.step));
}

/** The largest value of an integer. */
export function largest(node: IntegerNode): number {
  return node.min + (node.count - 1) * node.step;
}

function integerAt(node: IntegerNode, index: number): number {
  return node.min + clamp(index, 0, node.count - 1) * node.step;
}

function scaleOf(node: IntegerNode | RealNode): { readonly low: number; readonly high: number } {
  // Each integer owns the stretch from itself to the next, so the scale ends one step after the last.
  const end = node.type === "real" ? node.max : node.min + node.count * node.step;
  return node.log ? { low: Math.log(node.min), high: Math.log(end) } : { low: node.min, high: end };
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
