/** Pixels of one digit: 28 rows of 28. */
export const pixelCount: number = 28 * 28;
/** Units of the one hidden layer. */
export const hiddenCount: number = 256;
/** Classes, one per digit 0 to 9. */
export const classCount: number = 10;

/** What {@link Network.classify} says about one picture. */
export interface Classification {
  /** The most probable digit, 0 to 9. */
  readonly digit: number;
  /** Ten probabilities (softmax, sum 1), indexed by digit; a new array on every call. */
  readonly scores: Float32Array;
}

/** A trained network that tells handwritten digits apart. */
export interface Network {
  /**
   * Classifies one picture. Synchronous; keeps nothing of `pixels`.
   *
   * @param pixels - 784 bytes, row by row from the top left, 0 is background and 255 is ink
   * @throws RangeError if there are not exactly 784 bytes
   */
  classify(pixels: Uint8Array): Classification;
}

/** The weights of the network as the file holds them: int8 with one scale per unit. */
export interface QuantisedLayers {
  /** One per hidden unit: what a pixel byte times a weight of this unit has to be multiplied by. */
  readonly hiddenScales: Float32Array;
  readonly hiddenBiases: Float32Array;
  /** Input-major: the 256 weights that leave one pixel lie side by side. */
  readonly hiddenWeights: Int8Array;
  /** One per class. */
  readonly outputScales: Float32Array;
  readonly outputBiases: Float32Array;
  /** Output-major: the 256 weights that lead to one class lie side by side. */
  readonly outputWeights: Int8Array;
}

// The file: these 16 bytes, then the six arrays in the order of QuantisedLayers, little-endian.
const magic = "IWNN";
const version = 1;
const headerBytes = 16;
const fileBytes =
  headerBytes + 4 * 2 * (hiddenCount + classCount) + hiddenCount * (pixelCount + classCount);

/**
 * Reads a weights file and returns the network it describes. The bytes are copied.
 *
 * @param bytes - the whole file, as {@link encodeNetwork} makes it
 * @throws Error if magic, version, dimensions or length are not those of this network
 */
export function loadNetwork(bytes: Uint8Array): Network {
  return createNetwork(decodeNetwork(bytes));
}

/** Returns the bytes of a weights file; the counterpart of {@link loadNetwork}. */
export function encodeNetwork(layers: QuantisedLayers): Uint8Array {
  const bytes = new Uint8Array(fileBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(magic));
  for (const [index, value] of [version, pixelCount, hiddenCount, classCount].entries()) {
    view.setUint16(magic.length + 2 * index, value, true);
  }
  let offset = headerBytes;
  const writeFloats = (values: Float32Array): void => {
    for (const value of values) {
      view.setFloat32(offset, value, true);
      offset += 4;
    }
  };
  const writeInts = (values: Int8Array): void => {
    new Int8Array(bytes.buffer, offset).set(values);
    offset += values.length;
  };
  writeFloats(layers.hiddenScales);
  writeFloats(layers.hiddenBiases);
  writeInts(layers.hiddenWeights);
  writeFloats(layers.outputScales);
  writeFloats(layers.outputBiases);
  writeInts(layers.outputWeights);
  return bytes;
}

/**
 * Reads a weights file and returns its layers, for other programs than {@link Network} to run. The
 * bytes are copied.
 *
 * @throws what {@link loadNetwork} throws.
 */
export function decodeNetwork(bytes: Uint8Array): QuantisedLayers {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkHeader(bytes, view);
  let offset = headerBytes;
  const readFloats = (count: number): Float32Array => {
    const start = offset;
    offset += 4 * count;
    // Through the view, because a Buffer out of Node's pool need not be aligned to four bytes.
    return Float32Array.from({ length: count }, (_, index) =>
      view.getFloat32(start + 4 * index, true),
    );
  };
  const readInts = (count: number): Int8Array => {
    const start = bytes.byteOffset + offset;
    offset += count;
    return new Int8Array(bytes.buffer, start, count).slice();
  };
  return {
    hiddenScales: readFloats(hiddenCount),
    hiddenBiases: readFloats(hiddenCount),
    hiddenWeights: readInts(pixelCount * hiddenCount),
    outputScales: readFloats(classCount),
    outputBiases: readFloats(classCount),
    outputWeights: readInts(hiddenCount * classCount),
  };
}

function checkHeader(bytes: Uint8Array, view: DataView): void {
  if (bytes.length !== fileBytes) {
    throw new Error(`weights file has ${bytes.length} bytes, expected ${fileBytes}`);
  }
  const seenMagic = String.fromCharCode(...bytes.subarray(0, magic.length));
  if (seenMagic !== magic) {
    throw new Error(`weights file starts with ${JSON.stringify(seenMagic)}, expected "${magic}"`);
  }
  const fields = { version, inputs: pixelCount, hidden: hiddenCount, outputs: classCount };
  for (const [index, [name, expected]] of Object.entries(fields).entries()) {
    const seen = view.getUint16(magic.length + 2 * index, true);
    if (seen !== expected) {
      throw new Error(`weights file says ${name} ${seen}, expected ${expected}`);
    }
  }
}

function createNetwork(layers: QuantisedLayers): Network {
  // Shared by all calls: classify is synchronous, so no two calls ever overlap on them.
  const sums = new Int32Array(hiddenCount);
  const hidden = new Float32Array(hiddenCount);

  return {
    classify(pixels) {
      if (pixels.length !== pixelCount) {
        throw new RangeError(
          `picture has ${pixels.length} bytes, expected ${pixelCount} (28 x 28)`,
        );
      }
      sumHidden(layers.hiddenWeights, pixels, sums);
      for (let unit = 0; unit < hiddenCount; unit++) {
        const scaled = (sums[unit] ?? 0) * (layers.hiddenScales[unit] ?? 0);
        hidden[unit] = Math.max(0, scaled + (layers.hiddenBiases[unit] ?? 0));
      }
      const scores = new Float32Array(classCount);
      scoreClasses(layers, hidden, scores);
      return { digit: softmaxInPlace(scores), scores };
    },
  };
}

/**
 * Adds up bytes times int8 in whole numbers: exact on every machine, and 784 * 255 * 127 is far
 * from the limit of 32 bits. Four of five pixels are background, so skipping them is the speed.
 */
function sumHidden(weights: Int8Array, pixels: Uint8Array, sums: Int32Array): void {
  sums.fill(0);
  for (let pixel = 0; pixel < pixelCount; pixel++) {
    const ink = pixels[pixel] ?? 0;
    if (ink === 0) {
      continue;
    }
    const row = pixel * hiddenCount;
    for (let unit = 0; unit < hiddenCount; unit++) {
      sums[unit] = (sums[unit] ?? 0) + Math.imul(ink, weights[row + unit] ?? 0);
    }
  }
}

function scoreClasses(layers: QuantisedLayers, hidden: Float32Array, scores: Float32Array): void {
  for (let digit = 0; digit < classCount; digit++) {
    const row = digit * hiddenCount;
    let sum = 0;
    for (let unit = 0; unit < hiddenCount; unit++) {
      sum += (hidden[unit] ?? 0) * (layers.outputWeights[row + unit] ?? 0);
    }
    scores[digit] = sum * (layers.outputScales[digit] ?? 0) + (layers.outputBiases[digit] ?? 0);
  }
}

/**
 * Turns raw scores into probabilities and returns the index of the largest one; of equal ones the
 * first. Training uses the same function, so both agree on what a score means.
 */
export function softmaxInPlace(scores: Float32Array): number {
  let best = 0;
  for (let index = 1; index < scores.length; index++) {
    if ((scores[index] ?? 0) > (scores[best] ?? 0)) {
      best = index;
    }
  }
  // Subtracting the largest keeps exp() from overflowing.
  const largest = scores[best] ?? 0;
  let total = 0;
  for (let index = 0; index < scores.length; index++) {
    const power = Math.exp((scores[index] ?? 0) - largest);
    scores[index] = power;
    total += power;
  }
  for (let index = 0; index < scores.length; index++) {
    scores[index] = (scores[index] ?? 0) / total;
  }
  return best;
}
