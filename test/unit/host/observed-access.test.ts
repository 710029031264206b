import { describe, expect, it } from "vitest";
import { metadataOf } from "../../../src/core/metadata.js";
import { createAccess } from "../../../src/host/access.js";
import { createCallMetrics } from "../../../src/host/call-metrics.js";
import type { OpenPath } from "../../../src/host/host-options.js";
import { observedAccess } from "../../../src/host/observed-access.js";
import { resolveHostOptions } from "../../../src/host/resolve-host-options.js";
import { createFakeClock } from "../../support/fake-clock.js";

const head = (kind: "rpc" | "http", path: string, authorization?: string) => ({
  kind,
  method: "POST",
  path,
  peer: "127.0.0.1:9",
  metadata: metadataOf(authorization === undefined ? {} : { authorization }),
});

const PREDICT = "/inferwire.predict.v1.PredictService/Predict";

describe("createAccess", () => {
  it.each([
    ["health", "rpc", "/grpc.health.v1.Health/Check"],
    ["health", "rpc", "/grpc.health.v1.Health/Watch"],
    ["health", "rpc", "/grpc.health.v1.Health/List"],
    ["health", "http", "/readyz"],
    ["metrics", "http", "/metrics"],
    ["reflection", "rpc", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"],
    ["reflection", "rpc", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"],
  ] as const)("with %s open lets a %s of %s in, else only with the token", (name, kind, path) => {
    const openTo = (open: readonly OpenPath[]) =>
      createAccess(resolveHostOptions({ token: "secret", open }), () => 0);
    expect(openTo([name])(head(kind, path))).toBeUndefined();
    expect(openTo([])(head(kind, path))?.reason).toBe("UNAUTHENTICATED");
    expect(openTo([])(head(kind, path, "secret"))).toBeUndefined();
    expect(openTo([name])(head("rpc", PREDICT))?.reason).toBe("UNAUTHENTICATED");
  });
});

describe("observedAccess", () => {
  it("counts what is refused for its method, and changes nothing", () => {
    const calls = createCallMetrics(createFakeClock());
    calls.series("grpc", PREDICT);
    calls.series("eas", "POST /api/predict");
    const access = createAccess(resolveHostOptions({ token: "secret" }), () => 0);
    const clock = createFakeClock();
    const web = { doorOf: () => undefined };
    const observed = observedAccess(access, { calls, web, clock });
    expect(observed(head("rpc", PREDICT))?.reason).toBe("UNAUTHENTICATED");
    expect(observed(head("http", "/api/predict/a/b"))?.reason).toBe("UNAUTHENTICATED");
    expect(observed(head("rpc", PREDICT, "secret"))).toBeUndefined();
    expect(calls.read().map(({ method, status, count }) => [method, status, count])).toEqual([
      [PREDICT, "UNAUTHENTICATED", 1],
      ["POST /api/predict", "401", 1],
    ]);
  });
});
