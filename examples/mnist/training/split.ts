import { pixelCount } from "../network.js";
import type { Random } from "./random.js";

/** Pictures with their labels, `pixels` holding 784 bytes for each label. */
export interface LabelledPictures {
  readonly labels: Uint8Array;
  readonly pixels: Uint8Array;
}

/** Three parts that share no picture. */
export interface Split {
  /** What the weights are fitted to. */
  readonly training: LabelledPictures;
  /** What choices about the training (settings, number of epochs) are judged by. */
  readonly validation: LabelledPictures;
  /** Judges the finished network, once; no choice ever depends on it. */
  readonly heldOut: LabelledPictures;
}

/**
 * Splits the pictures at random, so that held-out and validation part have the same number of each
 * class. Each part is in random order.
 *
 * @param classes - for each class its pictures
 * @param perClass - how many pictures of each class go to the held-out and to the validation part
 */
export function splitPictures(
  classes: readonly (readonly Uint8Array[])[],
  perClass: number,
  random: Random,
): Split {
  const parts = classes.map((pictures) => {
    const order = Uint32Array.from(pictures.keys());
    random.shuffle(order);
    const ordered = Array.from(order, (index) => pictures[index] ?? new Uint8Array(pixelCount));
    return {
      heldOut: ordered.slice(0, perClass),
      validation: ordered.slice(perClass, 2 * perClass),
      training: ordered.slice(2 * perClass),
    };
  });
  return {
    heldOut: joinClasses(
      parts.map((part) => part.heldOut),
      random,
    ),
    validation: joinClasses(
      parts.map((part) => part.validation),
      random,
    ),
    training: joinClasses(
      parts.map((part) => part.training),
      random,
    ),
  };
}

function joinClasses(
  classes: readonly (readonly Uint8Array[])[],
  random: Random,
): LabelledPictures {
  const all = classes.flatMap((pictures, label) => pictures.map((picture) => ({ label, picture })));
  const order = Uint32Array.from(all.keys());
  random.shuffle(order);
  const labels = new Uint8Array(all.length);
  const pixels = new Uint8Array(all.length * pixelCount);
  for (const [place, index] of order.entries()) {
    const item = all[index];
    if (item !== undefined) {
      labels[place] = item.label;
      pixels.set(item.picture, place * pixelCount);
    }
  }
  return { labels, pixels };
}
