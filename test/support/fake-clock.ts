export {
  type FakeClock,
  fakeClock as createFakeClock,
  flushPromises,
} from "../../src/testing/fake-clock.js";
