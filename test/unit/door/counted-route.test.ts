import { describe, expect, it } from "vitest";
import { servingError } from "../../../src/core/serving-error.js";
import { Status } from "../../../src/core/status.js";
import { countedRoute } from "../../../src/door/counted-route.js";
import { seriesByDoor } from "../../../src/door/invoker.js";
import type { RpcCall } from "../../../src/server/rpc.js";
import { endWithError } from "../../../src/server/rpc-errors.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { recordedCall } from "../../support/rpc-call.js";

const empty = new Uint8Array(0);

/** Runs one call of a counted route; tells what was counted, in order. */
function counted(act: (call: RpcCall) => void, after: "closes" | "stays" = "closes"): string[] {
  const seen: string[] = [];
  const series = {
    started: () => void seen.push("started"),
    received: () => void seen.push("received"),
    sent: () => void seen.push("sent"),
    ended: (_: unknown, status: string, error: { readonly reason: string } | undefined) =>
      void seen.push(`${status} ${error?.reason ?? "-"}`),
  };
  const inner = {
    path: "/p.S/M",
    requestStream: false,
    responseStream: false,
    accept: (call: RpcCall) => ({
      onMessage() {},
      onHalfClose: () => act(call),
      onClose() {},
    }),
  };
  const reader = countedRoute(
    inner,
    seriesByDoor(() => series),
    createFakeClock(),
  ).accept(recordedCall("/p.S/M"));
  reader.onMessage(empty);
  reader.onHalfClose();
  if (after === "closes") reader.onClose();
  return seen;
}

describe("countedRoute", () => {
  it("counts messages and the end, once", () => {
    const seen = counted((call) => {
      call.send(empty);
      call.end({ code: Status.OK, message: "" });
      call.end({ code: Status.OK, message: "" });
    });
    expect(seen).toEqual(["started", "received", "sent", "OK -"]);
  });

  it("knows the reason of an error from its trailer", () => {
    const seen = counted((call) => endWithError(call, servingError("DRAINING", "stopping")));
    expect(seen.at(-1)).toBe("UNAVAILABLE DRAINING");
  });

  it("counts a caller that leaves as CANCELLED, and one that stays not at all", () => {
    expect(counted(() => {})).toEqual(["started", "received", "CANCELLED CANCELLED"]);
    expect(counted(() => {}, "stays")).toEqual(["started", "received"]);
  });
});
