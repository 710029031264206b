/** Aids for the tests of processors and apps: subpath `inferwire/testing`. */

export type { CancelTimer, Clock, TimerOptions } from "../core/ports.js";
export { seededRandom } from "../core/seeded-random.js";
export {
  createMemoryPair,
  type MemoryHostOptions,
  type MemoryPairOptions,
} from "./create-memory-pair.js";
export { createPair, type Pair, type PairClientOptions, type PairOptions } from "./create-pair.js";
export { type FakeClock, fakeClock, type PendingTimer } from "./fake-clock.js";
export { type ManualInstance, type ManualSource, manualSource } from "./manual-source.js";
