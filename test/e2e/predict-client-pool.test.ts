import { type CallReport, type PredictCallOptions, StringRequest } from "inferwire/eas";
import { describe, expect, it } from "vitest";
import { type OddServer, startHttpServer } from "../support/client-sockets.js";
import { clientOf, direct, errorOf, server, textOf } from "../support/eas-clients.js";
import { listing } from "../support/eas-server.js";
import { startTestHost } from "../support/hosts.js";
import { post } from "../support/raw-http.js";
import { until } from "../support/until.js";

const startMute = (): Promise<OddServer> => startHttpServer(() => {});
const startEchoing = (): Promise<OddServer> =>
  startHttpServer((_request, body, response) => response.end(body));

const url = ({ port }: { readonly port: number }): string => `http://127.0.0.1:${port}`;

describe("PredictClient: what it shares with typed clients", () => {
  it("hedges idempotent calls, and lets go of the connection of the one that was overtaken", async () => {
    await using mute = await startMute();
    await using good = await startEchoing();
    const directory = await server(() => listing([mute.port, 1_000], [good.port, 1]));
    const client = clientOf(directory.url, "mnist", {
      ...direct,
      hedgeDelayMs: 20,
      idempotent: true,
    });
    await client.init();
    const reports: CallReport[] = [];
    const request = new StringRequest("hello");
    const answer = await client.predict(request, { onReport: (report) => reports.push(report) });
    expect(answer.toString()).toBe("hello");
    expect(reports[0]?.attempts.map(({ hedge, outcome }) => [hedge, outcome])).toEqual([
      [false, "overtaken"],
      [true, "answered"],
    ]);
    await until(() => mute.open() === 0);
  });

  it("hedges no call that is not idempotent", async () => {
    await using mute = await startMute();
    await using good = await startEchoing();
    const directory = await server(() => listing([mute.port, 1_000], [good.port, 1]));
    const client = clientOf(directory.url, "mnist", {
      ...direct,
      hedgeDelayMs: 20,
      timeoutMs: 200,
    });
    await client.init();
    const error = await errorOf(client.predict(new StringRequest("hello")));
    expect(error).toMatchObject({ reason: "DEADLINE_EXCEEDED", attempts: [{ hedge: false }] });
  });

  it("takes out who fails in a row, and says so by calls that go elsewhere", async () => {
    const bad = await server(() => ({ status: 500 }));
    const good = await server();
    const directory = await server(() => listing(bad.port, good.port));
    const client = clientOf(directory.url, "mnist", {
      ...direct,
      ejection: { consecutiveFailures: 2, baseMs: 60_000 },
    });
    await client.init();
    for (let n = 0; n < 20; n++) await textOf(client).catch(() => {});
    expect(bad.requests).toHaveLength(2);
  });

  it("takes nobody out when told not to", async () => {
    const bad = await server(() => ({ status: 500 }));
    const good = await server();
    const directory = await server(() => listing(bad.port, good.port));
    const client = clientOf(directory.url, "mnist", { ...direct, ejection: false });
    await client.init();
    for (let n = 0; n < 20; n++) await textOf(client).catch(() => {});
    expect(bad.requests.length).toBeGreaterThan(5);
  });

  it("uses as many instances as subsetSize says", async () => {
    const servers = await Promise.all([server(), server(), server()]);
    const directory = await server(() => listing(...servers.map(({ port }) => port)));
    const client = clientOf(directory.url, "mnist", { ...direct, subsetSize: 1 });
    await client.init();
    for (let n = 0; n < 12; n++) await textOf(client);
    const used = servers.filter(({ requests }) => requests.length > 0);
    expect(used.map(({ requests }) => requests.length)).toEqual([12]);
  });

  it("closes a connection that was idle for idleTimeoutMs, and opens another", async () => {
    await using good = await startEchoing();
    const client = clientOf(url(good), "mnist", { idleTimeoutMs: 1_000 });
    expect(await textOf(client)).toBe("hello");
    // HTTP's own idle time is four seconds.
    await until(() => good.open() === 0, 3_500);
    expect(await textOf(client)).toBe("hello");
  });
});

describe("PredictClient: calls made while a call is served", () => {
  /** A host that asks another service with a minute's time, and gives the error's reason. */
  async function asking(mute: OddServer, options: PredictCallOptions) {
    const client = clientOf(url(mute), "mnist");
    const reasons: string[] = [];
    const process = async (_data: Uint8Array): Promise<Uint8Array> => {
      const call = client.predict(new StringRequest("hello"), { timeoutMs: 60_000, ...options });
      const error = await errorOf(call);
      reasons.push(error.reason);
      return Buffer.from(error.reason);
    };
    const host = await startTestHost({ process }, { requestTimeoutMs: 300 });
    return { host, reasons };
  }

  it("end when that call's time is over, and close their connection", async () => {
    await using mute = await startMute();
    const { host, reasons } = await asking(mute, {});
    await post(host.port, "/", "x");
    await until(() => reasons.length === 1);
    // By the deadline, less what is kept back for the answer, or by the end of the call that is served.
    expect(["DEADLINE_EXCEEDED", "CANCELLED"]).toContain(reasons[0]);
    await until(() => mute.open() === 0);
  });

  it("have their own time when they are detached", async () => {
    await using mute = await startMute();
    const { host, reasons } = await asking(mute, { detached: true, timeoutMs: 900 });
    expect((await post(host.port, "/", "x")).status).toBe(408);
    expect(reasons).toEqual([]);
    expect(mute.open()).toBe(1);
    await until(() => reasons.length === 1);
    expect(reasons).toEqual(["DEADLINE_EXCEEDED"]);
  });
});
