import { metadataOf } from "../../src/core/metadata.js";
import type { EndedCall } from "../../src/door/invoker.js";

/** A call as counters and log lines see it; it arrived at 1,000,000, where fake clocks start. */
export function endedCall(headers: Record<string, string> = {}): EndedCall {
  return {
    door: "grpc",
    method: "/p.S/M",
    service: "",
    metadata: metadataOf(headers),
    peer: "127.0.0.1:9",
    arrivedMs: 1_000_000,
  };
}
