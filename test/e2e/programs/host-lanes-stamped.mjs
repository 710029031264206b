// The processor of host-lanes.mjs with middleware of its own.
import { Lab } from "./host-lanes.mjs";

async function* stamp(call, context) {
  context.header.set("x-stamped-in", String(process.pid));
  return yield* call.next(call.request, context);
}

export class StampedLab extends Lab {
  constructor(options) {
    super({ ...options, middleware: stamp });
  }
}

export { StampedLab as processor };
