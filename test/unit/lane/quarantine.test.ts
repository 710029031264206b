import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/ports.js";
import { createQuarantine, type Quarantine } from "../../../src/lane/quarantine.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { laneCall } from "../../support/invocations.js";

function fixture(): { quarantine: Quarantine; clock: FakeClock } {
  const clock = createFakeClock();
  return { clock, quarantine: createQuarantine({ clock, logger: silentLogger }) };
}

const poison = (): ReturnType<typeof laneCall> => laneCall({ payloads: Buffer.from("poison") });

describe("createQuarantine", () => {
  it("refuses a request that was in progress in two deaths, for a minute", () => {
    const { quarantine, clock } = fixture();
    quarantine.died(poison());
    expect(quarantine.refusal(poison())).toBeUndefined();
    quarantine.died(poison());
    expect(quarantine.refusal(poison())?.message).toMatch(/refused for 60 s more/);
    clock.advance(60_000);
    expect(quarantine.refusal(poison())).toBeUndefined();
    quarantine.died(poison());
    expect(quarantine.refusal(poison())).toBeUndefined();
  });

  it("forgets one that was answered in between", () => {
    const { quarantine } = fixture();
    quarantine.died(poison());
    quarantine.succeeded(poison());
    quarantine.died(poison());
    expect(quarantine.refusal(poison())).toBeUndefined();
  });

  it("forgets one that has not come again for ten minutes", () => {
    const { quarantine, clock } = fixture();
    quarantine.died(poison());
    clock.advance(600_000);
    quarantine.died(poison());
    expect(quarantine.refusal(poison())).toBeUndefined();
  });

  it.each([
    ["another payload of the same length", { payloads: Buffer.from("pepper") }],
    ["another method", { method: "/test.Test/Other" }],
    ["another path", { path: "/other" }],
    ["another query", { query: "size=2" }],
    ["another service", { service: "other" }],
    ["another handler", { handler: "function" as const }],
  ])("takes %s for another request", (_, other) => {
    const { quarantine } = fixture();
    for (let death = 0; death < 2; death++) quarantine.died(poison());
    expect(quarantine.refusal({ ...poison(), ...other })).toBeUndefined();
  });

  it("knows no requests in pieces", () => {
    const { quarantine } = fixture();
    const pieces = laneCall({ payloads: (async function* () {})() });
    for (let death = 0; death < 2; death++) quarantine.died(pieces);
    expect(quarantine.refusal(pieces)).toBeUndefined();
  });

  it("keeps a bounded number of suspects", () => {
    const { quarantine } = fixture();
    quarantine.died(poison());
    for (let other = 0; other < 1_024; other++) quarantine.died(laneCall({ path: String(other) }));
    quarantine.died(poison());
    expect(quarantine.refusal(poison())).toBeUndefined();
  });
});
