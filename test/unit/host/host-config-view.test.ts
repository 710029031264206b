import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/ports.js";
import { hostConfigView } from "../../../src/host/host-config-view.js";
import { resolveHostOptions } from "../../../src/host/resolve-host-options.js";

const facts = { address: { host: "::1", port: 4_242 }, instance: "host-1" };

describe("hostConfigView", () => {
  it("shows what is in force, with no secret in it", () => {
    const view = hostConfigView(
      resolveHostOptions({
        service: "scorer",
        token: ["s3cret-a", "s3cret-b"],
        adminToken: "s3cret-c",
        directory: "127.0.0.1:8100",
        directoryToken: "s3cret-d",
        requestTimeoutMs: Number.POSITIVE_INFINITY,
        logger: silentLogger,
      }),
      facts,
    );
    expect(view).toMatchObject({
      service: "scorer",
      endpoint: "[::1]:4242",
      name: "host-1",
      token: "***",
      adminToken: "***",
      directoryToken: "***",
      directories: ["127.0.0.1:8100"],
      requestTimeoutMs: "Infinity",
      tls: null,
      logger: "(given)",
      open: ["health"],
      limits: { maxConnections: 10_000 },
    });
    expect(JSON.stringify(view)).not.toContain("s3cret");
    expect(JSON.parse(JSON.stringify(view))).toEqual(view);
  });

  it("masks keys wherever they stand, and shows the user's own data as given", () => {
    const view = hostConfigView(
      {
        tls: { cert: "-----BEGIN CERTIFICATE-----x", key: "s3cret", clientCa: new Uint8Array(7) },
        modelConfig: { apiKey: "s3cret" },
        middleware: [() => "s3cret"],
        warmUp: [new Uint8Array(3)],
        metrics: new Map([["tokens", "tokens made"]]),
        module: new URL("file:///m.js"),
        many: Array.from({ length: 101 }, () => 1),
      },
      facts,
    );
    expect(view).toEqual({
      tls: { cert: "28 characters of PEM", key: "***", clientCa: "7 bytes" },
      modelConfig: "(given)",
      middleware: "(given)",
      warmUp: ["3 bytes"],
      metrics: { tokens: "tokens made" },
      module: "file:///m.js",
      many: "a list of 101",
      endpoint: "[::1]:4242",
      name: "host-1",
    });
  });
});
