import { channelOf, clientMetricsText, createClient, openChannel } from "inferwire/client";
import { PredictClient, StringRequest } from "inferwire/eas";
import { PredictServiceDefinition } from "inferwire/proto";
import { describe, expect, it } from "vitest";
import { startTestHost } from "../support/hosts.js";
import { parsePrometheus } from "../support/prometheus.js";

const data = Buffer.from("a");
const method = "inferwire.predict.v1.PredictService/Predict";

describe("what a client's calls have gone through", () => {
  it("is told by its channel, as numbers and as a page", async () => {
    const { port } = await startTestHost();
    await using client = createClient(PredictServiceDefinition, { target: `127.0.0.1:${port}` });
    await client.predict({ data });
    const late = client.predict({ data }, { signal: AbortSignal.abort() });
    await expect(late).rejects.toThrow();
    await client.predict({ data });
    const channel = channelOf(client);
    const { methods, instances, list, retryBudget } = channel.metrics();
    expect(methods).toMatchObject([{ method, attempts: { answered: 2 } }]);
    expect(methods[0]?.ended[0]).toEqual({ code: "OK", reason: undefined, count: 2 });
    expect(instances).toMatchObject({ listed: 1, weighted: 1, usable: 1, connected: 1 });
    expect(list).toMatchObject({ version: 1, stale: false });
    expect(retryBudget.refused).toBe(0);
    const { contentType, text } = await channel.metricsText();
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    const { service } = channel.metrics();
    const labels = { service, method };
    expect(parsePrometheus(text).value("inferwire_client_handling_seconds_count", labels)).toBe(
      methods[0]?.durations.count,
    );
  });

  it("is the same for all clients of a shared channel", async () => {
    const { port } = await startTestHost();
    await using channel = openChannel({ target: `127.0.0.1:${port}` });
    const [one, other] = [1, 2].map(() => createClient(PredictServiceDefinition, { channel }));
    await one?.predict({ data });
    await other?.predict({ data });
    expect(channel.metrics().methods).toMatchObject([{ started: 2 }]);
    expect(one && channelOf(one)).toBe(channel);
  });

  it("is told by a PredictClient, before its first call and after, whatever paths it calls", async () => {
    const { port } = await startTestHost();
    await using client = new PredictClient(`http://127.0.0.1:${port}`, "demo");
    expect(client.metrics()).toMatchObject({ service: "demo", methods: [], list: { version: 0 } });
    client.setTimeout(4_000);
    for (const path of ["", "one", "other"]) {
      await client.predict(new StringRequest("a"), { path }).catch(() => undefined);
    }
    expect(client.metrics().methods).toMatchObject([{ method: "predict", started: 3 }]);
    const { families } = parsePrometheus((await client.metricsText()).text);
    expect(families.size).toBeGreaterThan(0);
    const page = parsePrometheus((await clientMetricsText([client, client])).text);
    const { service } = client.metrics();
    expect(page.value("inferwire_client_started_total", { service, method: "predict" })).toBe(6);
  });

  it("has no channel to tell of anything else", () => {
    const stranger = { [Symbol.asyncDispose]: () => Promise.resolve() };
    expect(() => channelOf(stranger)).toThrow("not one that createClient has made");
  });
});
