import { describe, expect, it } from "vitest";
import type { AttemptFate } from "../../../../src/client/metrics/channel-metrics.js";
import { clientFamilies } from "../../../../src/client/metrics/client-families.js";
import { noClientMetrics } from "../../../../src/client/metrics/client-metrics.js";
import { clientMetricsText } from "../../../../src/client/metrics/client-metrics-text.js";
import { servingError } from "../../../../src/core/serving-error.js";
import { type FakeChannel, fakeChannel } from "../../../support/client-channel.js";
import { endOf } from "../../../support/client-fake-transport.js";
import { methodPolicy } from "../../../support/method-policy.js";
import { parsePrometheus } from "../../../support/prometheus.js";

const classify = methodPolicy({ series: "p.S/Classify" });
const ok = endOf(undefined);

async function pageOf(...channels: readonly FakeChannel[]) {
  const tellers = channels.map(({ core }) => ({ metrics: () => core.readMetrics() }));
  return parsePrometheus((await clientMetricsText(tellers)).text);
}

describe("ChannelCore.readMetrics", () => {
  it("counts calls by code and reason, and how long they took", () => {
    const { core } = fakeChannel({}, "1");
    for (let n = 0; n < 3; n++) core.metrics.callStarted(classify);
    core.metrics.callEnded(classify, ok, 4);
    core.metrics.callEnded(classify, endOf("DEADLINE_EXCEEDED"), 5_000);
    const [method] = core.readMetrics().methods;
    expect(method).toMatchObject({
      method: "p.S/Classify",
      started: 3,
      ended: [
        { code: "OK", reason: undefined, count: 1 },
        { code: "DEADLINE_EXCEEDED", reason: "DEADLINE_EXCEEDED", count: 1 },
      ],
      durations: { count: 2, sumMs: 5_004, maxMs: 5_000, p50Ms: 4, p99Ms: 5_000 },
    });
  });

  it("counts attempts by what became of them, and hedges among them", () => {
    const { core } = fakeChannel({}, "1");
    const fates: readonly [AttemptFate, boolean][] = [
      ["repeated", false],
      ["overtaken", false],
      ["answered", true],
    ];
    for (const [outcome, hedge] of fates) core.metrics.attemptEnded(classify, outcome, hedge);
    const [method] = core.readMetrics().methods;
    expect(method?.attempts).toMatchObject({ repeated: 1, overtaken: 1, answered: 1 });
    expect(method?.hedges).toMatchObject({ repeated: 0, overtaken: 0, answered: 1 });
  });

  it("is a copy that does not change", () => {
    const { core } = fakeChannel({}, "1");
    core.metrics.callStarted(classify);
    const before = core.readMetrics();
    const copy = structuredClone(before);
    core.metrics.callEnded(classify, ok, 4);
    core.metrics.attemptEnded(classify, "answered", false);
    core.metrics.ejected("latency");
    expect(before).toEqual(copy);
  });

  it("tells of the list, before the first and after", () => {
    const { core, source, clock } = fakeChannel();
    expect(core.readMetrics().list).toEqual({ version: 0, ageMs: undefined, stale: true });
    core.list.start();
    const list = source.list("1=100", "2=0");
    source.confirm(list, clock.now());
    clock.advance(1_500);
    source.fail(servingError("UPSTREAM_MALFORMED", "gone"));
    expect(core.readMetrics()).toMatchObject({
      service: "echo",
      list: { version: 1, ageMs: 1_500 },
      instances: { listed: 2, weighted: 1, usable: 1 },
    });
  });

  it("tells what the retry budget has left and has refused", () => {
    const { core } = fakeChannel({}, "1");
    const { left } = core.readMetrics().retryBudget;
    for (let n = 0; n <= left; n++) core.budget.withdraw();
    expect(core.readMetrics().retryBudget).toEqual({ left: 0, refused: 1 });
  });
});

describe("clientMetricsText", () => {
  it("writes every family with its help and type, and no other", async () => {
    const { families } = await pageOf(fakeChannel({}, "1"));
    expect([...families]).toEqual(
      clientFamilies.map(({ name, type, help }) => [name, { type, help }]),
    );
  });

  it("labels with names of the kit alone, and begins at 0", async () => {
    const channel = fakeChannel({}, "1");
    const { metrics } = channel.core;
    metrics.callStarted(classify);
    metrics.callEnded(classify, endOf("CONNECT_FAILED"), 7);
    metrics.attemptEnded(classify, "attempts-used-up", false);
    metrics.ejected("failure-ratio");
    const { value } = await pageOf(channel);
    const labels = { service: "echo", method: "p.S/Classify" };
    expect(value("inferwire_client_started_total", labels)).toBe(1);
    const handled = (code: string, reason: string) =>
      value("inferwire_client_handled_total", { ...labels, code, reason });
    expect([handled("OK", ""), handled("Unavailable", "CONNECT_FAILED")]).toEqual([0, 1]);
    const attempts = (outcome: string) =>
      value("inferwire_client_attempts_total", { ...labels, outcome });
    expect([attempts("attempts-used-up"), attempts("answered")]).toEqual([1, 0]);
    const bucket = (le: string) =>
      value("inferwire_client_handling_seconds_bucket", { ...labels, le });
    expect(["0.006", "0.008", "+Inf"].map(bucket)).toEqual([0, 1, 1]);
    const causes = ["failures", "failure-ratio", "latency", "silence"].map((cause) =>
      value("inferwire_client_ejections_total", { service: "echo", cause }),
    );
    expect(causes).toEqual([0, 1, 0, 0]);
  });

  it("shows clients of one service as one: counts added up, of the lists the oldest", async () => {
    const [one, other] = [fakeChannel({}, "1", "2"), fakeChannel()];
    for (const { core } of [one, other]) {
      core.metrics.callStarted(classify);
      core.metrics.callEnded(classify, ok, 4);
    }
    const { value } = await pageOf(one, other);
    const labels = { service: "echo", method: "p.S/Classify" };
    expect(value("inferwire_client_started_total", labels)).toBe(2);
    expect(value("inferwire_client_handling_seconds_count", labels)).toBe(2);
    expect(value("inferwire_client_handling_seconds_bucket", { ...labels, le: "0.004" })).toBe(2);
    expect(value("inferwire_client_list_stale", { service: "echo" })).toBe(1);
    expect(value("inferwire_client_list_version", { service: "echo" })).toBe(0);
    expect(value("inferwire_client_instances", { service: "echo", state: "usable" })).toBe(2);
  });

  it.each([
    ["127.0.0.1:1", "127.0.0.1:1"],
    ["sentiment,v2", "sentiment,v2"],
    ["127.0.0.1:1,127.0.0.1:2", "127.0.0.1:1 +1"],
    [Array.from({ length: 500 }, (_, n) => `[::1]:${n + 1}`).join(","), "[::1]:1 +499"],
  ])("labels a list of addresses by the first and how many more: %#", async (service, label) => {
    const { text } = await clientMetricsText([{ metrics: () => noClientMetrics(service) }]);
    const labels = parsePrometheus(text).value("inferwire_client_list_version", { service: label });
    expect(labels).toBe(0);
    expect(noClientMetrics(service).service).toBe(service);
  });

  it("shows lists of addresses with the same label as one", async () => {
    const services = ["127.0.0.1:1,127.0.0.1:2", "127.0.0.1:1,127.0.0.1:3"];
    const tellers = services.map((service) => ({ metrics: () => noClientMetrics(service) }));
    const { text } = await clientMetricsText(tellers);
    expect(text.match(/^inferwire_client_list_stale\{/gm)).toHaveLength(1);
  });

  it("is a page, too, of a client that has done nothing and of no client at all", async () => {
    const { text } = await clientMetricsText([{ metrics: () => noClientMetrics("") }]);
    const { value } = parsePrometheus(text);
    expect(value("inferwire_client_list_age_seconds", { service: "" })).toBeUndefined();
    expect(parsePrometheus((await clientMetricsText([])).text).families.size).toBe(
      clientFamilies.length,
    );
  });
});
