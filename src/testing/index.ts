/** Aids for the tests of processors and apps: subpath `inferwire/testing`. */

export { seededRandom } from "../core/seeded-random.js";
export { createPair, type Pair, type PairOptions } from "./create-pair.js";
