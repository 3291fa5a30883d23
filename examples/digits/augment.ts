/**
 * Augmentation: each image is turned, resized and moved a little every time that it is learned from, as no two
 * people write a digit alike. A thousand images are few: without it, networks learn them by heart.
 *
 * @module
 */
import type { Random } from "./random.ts";
import { at, type Vector } from "./vector.ts";

/** Pixels along a side of an image. */
const SIDE = 8;
const CENTER = (SIDE - 1) / 2;

// On the validation part this much halves the loss of good networks; twice as much costs the smaller ones two points
// of accuracy.
const SHIFT_MAX_PIXELS = 0.3;
const TURN_MAX_RADIANS = 0.1;
const STRETCH_MAX = 0.05;

/** Writes a varied copy of an image, starting at `target[start]`; what comes from beyond the edge is dark. */
export function augment(image: Vector, target: Vector, start: number, random: Random): void {
  const turn = spread(random, TURN_MAX_RADIANS), stretch = 1 + spread(random, STRETCH_MAX);
  const shiftX = CENTER + spread(random, SHIFT_MAX_PIXELS),
    shiftY = CENTER + spread(random, SHIFT_MAX_PIXELS);
  const cosine = Math.cos(turn) * stretch, sine = Math.sin(turn) * stretch;
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const dx = column - CENTER, dy = row - CENTER;
      const x = cosine * dx - sine * dy + shiftX, y = sine * dx + cosine * dy + shiftY;
      target[start + row * SIDE + column] = brightness(image, x, y);
    }
  }
}

/** A random number in (-most, most). */
function spread(random: Random, most: number): number {
  return (2 * random() - 1) * most;
}

/** Between the four nearest pixels, in proportion. */
function brightness(image: Vector, x: number, y: number): number {
  const left = Math.floor(x), top = Math.floor(y);
  const right = x - left, down = y - top;
  const upper = pixel(image, left, top) * (1 - right) + pixel(image, left + 1, top) * right;
  const lower = pixel(image, left, top + 1) * (1 - right) + pixel(image, left + 1, top + 1) * right;
  return upper * (1 - down) + lower * down;
}

function pixel(image: Vector, column: number, row: number): number {
  const isInside = column >= 0 && column < SIDE && row >= 0 && row < SIDE;
  return isInside ? at(image, row * SIDE + column) : 0;
}
