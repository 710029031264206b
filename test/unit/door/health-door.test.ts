import { describe, expect, it } from "vitest";
import type { HostState } from "../../../src/builtin/host-view.js";
import type { RpcDefinition } from "../../../src/core/rpc-definition.js";
import { Status } from "../../../src/core/status.js";
import { type HealthView, healthRoutes } from "../../../src/door/health-door.js";
import type { RpcReader } from "../../../src/server/rpc.js";
import {
  healthCheckRpc,
  healthListRpc,
  healthWatchRpc,
  ServingStatus,
} from "../../../src/wire/health.js";
import { flushPromises } from "../../support/fake-clock.js";
import { type RecordedCall, recordedCall } from "../../support/rpc-call.js";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;

function movableView(state: HostState): HealthView & {
  move(next: HostState): void;
  readonly listeners: Set<(state: HostState) => void>;
} {
  let current = state;
  const listeners = new Set<(state: HostState) => void>();
  return {
    get state() {
      return current;
    },
    services: ["p.Service", "echo"],
    listeners,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    move(next) {
      current = next;
      for (const listener of [...listeners]) listener(next);
    },
  };
}

async function start<Req>(
  view: HealthView,
  rpc: Pick<RpcDefinition<Req, never>, "encodeRequest" | "path">,
  request: Req,
  slow = false,
): Promise<RecordedCall & { readonly reader: RpcReader }> {
  const route = healthRoutes(view).find(({ path }) => path === rpc.path);
  const call = recordedCall(rpc.path, { slow });
  const reader = route?.accept(call);
  if (reader === undefined) throw new Error(`no route ${rpc.path}`);
  reader.onMessage(rpc.encodeRequest(request));
  reader.onHalfClose();
  await flushPromises();
  return Object.assign(call, { reader });
}

const statuses = ({ sent }: RecordedCall): number[] =>
  sent.map((bytes) => healthWatchRpc.decodeResponse(bytes).status);

describe("Health.Check", () => {
  it.each([
    ["starting", NOT_SERVING],
    ["warming", NOT_SERVING],
    ["ready", SERVING],
    ["unready", NOT_SERVING],
    ["draining", NOT_SERVING],
  ] as const)("of a %s host is %i, by every name", async (state, expected) => {
    for (const service of ["", "p.Service", "echo"]) {
      const call = await start(movableView(state), healthCheckRpc, { service });
      expect(statuses(call)).toEqual([expected]);
      expect(call.ended[0]?.code).toBe(Status.OK);
    }
  });

  it("of an unknown service is NOT_FOUND", async () => {
    const call = await start(movableView("ready"), healthCheckRpc, { service: "p.Other" });
    expect([call.sent, call.ended[0]?.code]).toEqual([[], Status.NOT_FOUND]);
  });
});

describe("Health.List", () => {
  it("answers for the host and all its services", async () => {
    const call = await start(movableView("ready"), healthListRpc, {});
    const [bytes = new Uint8Array(0)] = call.sent;
    expect(healthListRpc.decodeResponse(bytes).statuses).toEqual(
      new Map(["", "p.Service", "echo"].map((name) => [name, { status: SERVING }])),
    );
  });
});

describe("Health.Watch", () => {
  it("sends the status at once, then every change", async () => {
    const view = movableView("starting");
    const call = await start(view, healthWatchRpc, { service: "" });
    expect(statuses(call)).toEqual([NOT_SERVING]);
    for (const state of ["warming", "ready", "unready", "ready"] as const) {
      view.move(state);
      await flushPromises();
    }
    expect(statuses(call)).toEqual([NOT_SERVING, SERVING, NOT_SERVING, SERVING]);
    expect(call.ended).toEqual([]);
  });

  it("gives a slow reader the latest only", async () => {
    const view = movableView("starting");
    const call = await start(view, healthWatchRpc, { service: "" }, true);
    for (const state of ["warming", "ready", "unready", "ready"] as const) view.move(state);
    call.flush();
    await flushPromises();
    expect(statuses(call)).toEqual([NOT_SERVING, SERVING]);
  });

  it("says SERVICE_UNKNOWN and stays open", async () => {
    const view = movableView("ready");
    const call = await start(view, healthWatchRpc, { service: "p.Other" });
    view.move("unready");
    await flushPromises();
    expect(statuses(call)).toEqual([SERVICE_UNKNOWN]);
    expect(call.ended).toEqual([]);
  });

  it("of a host that stops sends NOT_SERVING, then ends UNAVAILABLE", async () => {
    const view = movableView("ready");
    const call = await start(view, healthWatchRpc, { service: "p.Service" });
    view.move("draining");
    await flushPromises();
    expect(statuses(call)).toEqual([SERVING, NOT_SERVING]);
    expect(call.ended[0]?.code).toBe(Status.UNAVAILABLE);
    expect(view.listeners.size).toBe(0);
  });

  it("lets go of the host when the caller leaves", async () => {
    const view = movableView("ready");
    const call = await start(view, healthWatchRpc, { service: "" });
    expect(view.listeners.size).toBe(1);
    call.reader.onClose();
    await flushPromises();
    expect(view.listeners.size).toBe(0);
  });
});
