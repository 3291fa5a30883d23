/**
 * Windows: how a square of pixels slides over an image, for convolutions and for pools.
 *
 * @module
 */
import type { Shape } from "../../shared/space/layer_graph.ts";

/** A square that slides over images stored as [height, width, channels]. */
export interface Window {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly size: number;
  readonly stride: number;
  /** Places it takes, downwards and across. */
  readonly rows: number;
  readonly columns: number;
  /** Rows above and columns left of the image that the first place covers. */
  readonly top: number;
  readonly left: number;
}

/**
 * The window that turns one shape into the other.
 *
 * The output's shape says how much padding there is; it is spread as TensorFlow does, the odd pixel below and to the
 * right.
 */
export function slidingWindow(input: Shape, output: Shape, size: number, stride: number): Window {
  const { height, width, channels } = imageShape(input);
  const { height: rows, width: columns } = imageShape(output);
  return {
    height,
    width,
    channels,
    size,
    stride,
    rows,
    columns,
    top: paddingBefore(height, rows, size, stride),
    left: paddingBefore(width, columns, size, stride),
  };
}

/** The sides of an image. */
export function imageShape(shape: Shape): { height: number; width: number; channels: number } {
  const [height, width, channels] = shape;
  if (height === undefined || width === undefined || channels === undefined || shape.length !== 3) {
    throw new Error(`an image has the shape [height, width, channels], not [${shape.join(", ")}]`);
  }
  return { height, width, channels };
}

/** The part of a window that lies inside the image, along one axis: [first, last) offsets into the window. */
export function insideOf(start: number, size: number, side: number): readonly [number, number] {
  return [Math.max(0, -start), Math.min(size, side - start)];
}

function paddingBefore(side: number, places: number, size: number, stride: number): number {
  const valid = Math.floor((side - size) / stride) + 1, same = Math.ceil(side / stride);
  if (places !== valid && places !== same) {
    throw new Error(
      `a window of ${size} with stride ${stride} takes ${valid} or ${same} places on ${side}, not ${places}`,
    );
  }
  return Math.floor(Math.max(0, (places - 1) * stride + size - side) / 2);
}
