import type { Random } from "./random.js";

const side = 28;
const centre = (side - 1) / 2;
const maxShiftPixels = 1.5;
const maxTurnRadians = 0.2;
const maxStretch = 0.12;
const maxSlant = 0.15;
/** The elastic part: random shifts at 5 x 5 points of the picture, smooth in between. */
const gridSide = 5;
const gridStep = (side - 1) / (gridSide - 1);
const maxBendPixels = 1.2;

/**
 * Writes a randomly shifted, turned, stretched, slanted and bent copy of a picture, so that the
 * network meets each training digit in a slightly different hand every time.
 *
 * @param source - 784 bytes
 * @param target - receives 784 numbers from 0 to 1
 */
export function distortPicture(source: Uint8Array, target: Float32Array, random: Random): void {
  const turn = random.between(maxTurnRadians);
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const stretchX = 1 + random.between(maxStretch);
  const stretchY = 1 + random.between(maxStretch);
  const slant = random.between(maxSlant);
  const shiftX = centre + random.between(maxShiftPixels);
  const shiftY = centre + random.between(maxShiftPixels);
  const bendX = randomGrid(random);
  const bendY = randomGrid(random);

  for (let row = 0; row < side; row++) {
    const y = (row - centre) * stretchY;
    for (let column = 0; column < side; column++) {
      const x = (column - centre) * stretchX + slant * y;
      const fromX =
        cos * x - sin * y + shiftX + sample(bendX, gridSide, column / gridStep, row / gridStep);
      const fromY =
        sin * x + cos * y + shiftY + sample(bendY, gridSide, column / gridStep, row / gridStep);
      target[row * side + column] = sample(source, side, fromX, fromY) / 255;
    }
  }
}

function randomGrid(random: Random): Float32Array {
  return Float32Array.from({ length: gridSide * gridSide }, () => random.between(maxBendPixels));
}

/** Reads a square field between its points (bilinear); everything outside of it is 0. */
function sample(field: Uint8Array | Float32Array, width: number, x: number, y: number): number {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const rightPart = x - left;
  const lowerPart = y - top;
  const upper =
    (1 - rightPart) * pointAt(field, width, left, top) +
    rightPart * pointAt(field, width, left + 1, top);
  const lower =
    (1 - rightPart) * pointAt(field, width, left, top + 1) +
    rightPart * pointAt(field, width, left + 1, top + 1);
  return (1 - lowerPart) * upper + lowerPart * lower;
}

function pointAt(field: Uint8Array | Float32Array, width: number, x: number, y: number): number {
  const inside = x >= 0 && x < width && y >= 0 && y < width;
  return inside ? (field[y * width + x] ?? 0) : 0;
}
