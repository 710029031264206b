import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/ports.js";
import { servingError } from "../../../src/core/serving-error.js";
import { createHttpSource, type HttpSourceOptions } from "../../../src/resolve/http-source.js";
import type { Source } from "../../../src/resolve/source.js";
import type { HttpTarget } from "../../../src/resolve/target/target-kind.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import {
  createScriptedServer,
  easBody,
  type ScriptedAnswer,
  type ScriptedServer,
} from "../../support/source-http-server.js";
import { createSourceRecorder, type SourceRecorder } from "../../support/source-recorder.js";

const url = "http://directory/api/v1/servicediscovery/upstreams/mnist";
const target: HttpTarget = { kind: "http", text: url, service: "mnist", directories: [[url]] };
const one = { ip: "10.0.0.1", port: 80, weight: 100 };
const two = { ip: "10.0.0.2", port: 80, weight: 50 };
const ok = (items: readonly object[], etag?: string): ScriptedAnswer => ({
  status: 200,
  body: easBody(items),
  headers: etag === undefined ? {} : { etag },
});

interface Fixture {
  readonly clock: FakeClock;
  readonly server: ScriptedServer;
  readonly recorder: SourceRecorder;
  readonly source: Source;
  readonly warnings: object[];
}

async function started(
  answer: ScriptedAnswer,
  options: Partial<HttpSourceOptions> = {},
): Promise<Fixture> {
  const clock = createFakeClock();
  const server = createScriptedServer(answer);
  const recorder = createSourceRecorder();
  const warnings: object[] = [];
  const logger = { ...silentLogger, warn: (fields: object) => warnings.push(fields) };
  const source = createHttpSource(target, {
    clock,
    logger,
    random: () => 0.5,
    pollIntervalMs: 5_000,
    get: server.get,
    ...options,
  });
  source.start(recorder);
  await clock.settle();
  return { clock, server, recorder, source, warnings };
}

describe("createHttpSource", () => {
  it("calls a list stale that the directory itself calls so, changed or not", async () => {
    const warning = '110 - "Response is Stale"';
    const { clock, server, recorder, source } = await started(ok([one]));
    server.answer = { status: 200, body: easBody([one, two]), headers: { warning, etag: '"2"' } };
    await clock.settle(6_000);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100", "10.0.0.2:80=50"]);
    expect(recorder.last?.stale).toBe(true);
    expect(recorder.errors.at(-1)?.message).toContain("its list is stale");
    server.answer = { status: 304, headers: { warning } };
    await clock.settle(12_000);
    expect(recorder.last?.stale).toBe(true);
    server.answer = { status: 304 };
    await clock.settle(12_000);
    expect(recorder.last?.stale).toBe(false);
    await source.close();
  });

  const unsettled = { warning: '199 - "List may be incomplete"' };

  it("keeps who is missing from a list that may be incomplete, at most 15 s", async () => {
    const { clock, server, recorder, source } = await started(ok([one, two], '"1"'));
    server.answer = { status: 200, body: easBody([one]), headers: { ...unsettled, etag: '"2"' } };
    await clock.settle(5_000);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100", "10.0.0.2:80=50"]);
    expect(recorder.last?.stale).toBe(true);
    server.answer = ok([one], '"3"');
    await clock.settle(5_000);
    expect(server.requests.at(-1)?.headers["if-none-match"]).toBeUndefined();
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    expect(recorder.last?.stale).toBe(false);
    server.answer = { status: 200, body: easBody([two]), headers: unsettled };
    await clock.settle(15_000);
    expect(recorder.listed().length).toBe(2);
    await clock.settle(5_000);
    expect(recorder.listed()).toEqual(["10.0.0.2:80=50"]);
    expect([recorder.last?.stale, recorder.errors]).toEqual([false, []]);
    await source.close();
  });

  it("keeps all when a directory that has just started lists nobody, or not at all before", async () => {
    const { clock, server, recorder, source } = await started({
      status: 200,
      body: easBody([one]),
      headers: unsettled,
    });
    server.answer = { status: 404 };
    await clock.settle(5_000);
    const body = '{"error":{"reason":"NO_INSTANCE"}}';
    server.answer = { status: 503, body, headers: unsettled };
    await clock.settle(14_000);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    expect(recorder.last?.stale).toBe(true);
    await source.close();
  });

  it("polls every interval and tells of changes only", async () => {
    const { clock, server, recorder, source } = await started(ok([one]));
    expect(recorder.last).toMatchObject({
      version: 1,
      service: "mnist",
      source: url,
      stale: false,
    });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    await clock.settle(4_999);
    expect(server.requests.length).toBe(1);
    await clock.settle(1);
    expect(server.requests.length).toBe(2);
    expect(recorder.snapshots.length).toBe(1);
    server.answer = ok([two, one]);
    await clock.settle(5_000);
    expect(recorder.last?.version).toBe(2);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100", "10.0.0.2:80=50"]);
    server.answer = ok([one, two]);
    await clock.settle(5_000);
    expect(recorder.snapshots.length).toBe(2);
    await source.close();
  });

  it.each([
    [0, 4_000],
    [0.999_999, 6_000],
  ])("draws its interval: %d gives about %d ms", async (drawn, waitMs) => {
    const { clock, server, source } = await started(ok([one]), { random: () => drawn });
    await clock.settle(waitMs - 10);
    expect(server.requests.length).toBe(1);
    await clock.settle(20);
    expect(server.requests.length).toBe(2);
    await source.close();
  });

  it("sends the tag of the list it has, and takes 304 for a confirmation", async () => {
    const { clock, server, recorder, source } = await started(ok([one], '"v1"'));
    expect(server.requests[0]?.headers).toEqual({ accept: "application/json" });
    server.answer = { status: 503 };
    await clock.settle(5_000);
    expect(recorder.last).toMatchObject({ version: 2, stale: true });
    server.answer = { status: 304 };
    await clock.settle(10_000);
    expect(server.requests.at(-1)?.headers["if-none-match"]).toBe('"v1"');
    expect(recorder.last).toMatchObject({ version: 3, stale: false });
    await source.close();
  });

  it("takes 304 without ever having had a tag for a failure", async () => {
    const { recorder, source } = await started({ status: 304 });
    expect(recorder.errors).toMatchObject([{ reason: "DIRECTORY_FAILED" }]);
    await source.close();
  });

  it.each<[string, ScriptedAnswer, string, string]>([
    ["500", { status: 500 }, "DIRECTORY_FAILED", "answered 500"],
    ["401", { status: 401 }, "DIRECTORY_FAILED", "check directoryToken"],
    [
      "a redirect",
      { status: 302, headers: { location: "http://b/" } },
      "DIRECTORY_FAILED",
      "a redirect to http://b/, which is not followed",
    ],
    ["404", { status: 404 }, "SERVICE_UNKNOWN", "does not know mnist"],
    ["no JSON", { status: 200, body: "<html>" }, "UPSTREAM_MALFORMED", "not JSON"],
    ["nothing usable", ok([{ ip: "x" }]), "UPSTREAM_MALFORMED", "none of the 1 listed"],
    [
      "no connection",
      servingError("CONNECT_FAILED", "connect ECONNREFUSED"),
      "DIRECTORY_FAILED",
      "ECONNREFUSED",
    ],
  ])("keeps its list on %s, and says so", async (_, answer, reason, text) => {
    const { clock, server, recorder, source } = await started(ok([one]));
    const confirmedAtMs = clock.now();
    server.answer = answer;
    await clock.settle(5_000);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    expect(recorder.last).toMatchObject({ version: 2, stale: true, confirmedAtMs });
    expect(recorder.errors).toMatchObject([{ name: "DiscoveryError", reason }]);
    expect(recorder.errors[0]?.message).toContain(text);
    expect(recorder.errors[0]?.message).toContain(url);
    server.answer = ok([one]);
    await clock.settle(10_000);
    expect(recorder.last).toMatchObject({ version: 3, stale: false });
    await source.close();
  });

  it("gives a poll up after 5 s", async () => {
    const { clock, server, recorder, source } = await started("never");
    expect(server.requests[0]).toMatchObject({ timeoutMs: 5_000, maxBodyBytes: 4 * 1024 * 1024 });
    await clock.settle(5_000);
    expect(recorder.errors).toMatchObject([{ reason: "DIRECTORY_FAILED" }]);
    await source.close();
  });

  it("waits longer from failure to failure, at most two intervals, and starts over", async () => {
    const { clock, server, source } = await started({ status: 500 });
    const times: number[] = [];
    for (let ms = 0; ms < 60_000; ms += 100) {
      const before = server.requests.length;
      await clock.settle(100);
      if (server.requests.length > before) times.push(ms + 100);
    }
    const waits = times.map((time, index) => time - (times[index - 1] ?? 0));
    expect(waits[0]).toBe(500);
    expect(waits.at(-1)).toBe(10_000);
    expect([...waits].sort((a, b) => a - b)).toEqual(waits);
    await source.close();
  });

  it("believes an empty list only when it has seen it three times running", async () => {
    const { clock, server, recorder, source } = await started(ok([one], '"v1"'));
    server.answer = ok([]);
    await clock.settle(5_000);
    expect(server.requests.at(-1)?.headers["if-none-match"]).toBe('"v1"');
    await clock.settle(5_000);
    expect(server.requests.at(-1)?.headers["if-none-match"]).toBeUndefined();
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    expect(recorder.last?.stale).toBe(true);
    expect(recorder.errors).toMatchObject([{ reason: "NO_INSTANCE" }, { reason: "NO_INSTANCE" }]);
    await clock.settle(5_000);
    expect(recorder.listed()).toEqual([]);
    expect(recorder.last?.stale).toBe(false);
    await source.close();
  });

  it("starts counting anew when somebody is listed in between", async () => {
    const { clock, server, recorder, source } = await started(ok([one]));
    for (const items of [[], [], [one], [], []]) {
      server.answer = ok(items);
      await clock.settle(5_000);
    }
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    await source.close();
  });

  const nobody = (reason: string): ScriptedAnswer => ({
    status: 503,
    body: JSON.stringify({ error: { code: "UNAVAILABLE", reason, message: "" } }),
  });

  it("takes a directory's NO_INSTANCE for an empty list, to be seen three times running", async () => {
    const { clock, server, recorder, source } = await started(ok([one], '"v1"'));
    server.answer = nobody("NO_INSTANCE");
    await clock.settle(10_000);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    await clock.settle(5_000);
    expect([recorder.listed(), recorder.last?.stale]).toEqual([[], false]);
    await source.close();
  });

  it("takes any other 503 for a failure, however often", async () => {
    const { clock, server, recorder, source } = await started(ok([one]));
    for (const answer of [nobody("DRAINING"), { status: 503, body: "NO_INSTANCE" }]) {
      server.answer = answer;
      await clock.settle(60_000);
    }
    expect([recorder.listed(), recorder.last?.stale]).toEqual([["10.0.0.1:80=100"], true]);
    await source.close();
  });

  it("takes a first empty list as it is", async () => {
    const { recorder, source } = await started(ok([]));
    expect(recorder.last).toMatchObject({ version: 1, instances: [], stale: false });
    await source.close();
  });

  it("takes the tokens that a function gives, one for each request", async () => {
    let count = 0;
    const { clock, server, source } = await started(ok([one]), {
      directoryToken: async () => `t${++count}`,
    });
    await clock.settle(5_000);
    expect(server.requests.map(({ headers }) => headers["authorization"])).toEqual(["t1", "t2"]);
    await source.close();
  });

  it("takes a token that fails, or never comes, for a failure", async () => {
    const failing = await started(ok([one]), {
      directoryToken: () => Promise.reject(new Error("vault is sealed")),
    });
    expect(failing.recorder.errors[0]?.message).toContain("vault is sealed");
    await failing.source.close();
    const hanging = await started(ok([one]), { directoryToken: () => new Promise(() => {}) });
    await hanging.clock.settle(5_000);
    expect(hanging.recorder.errors[0]?.message).toContain("directoryToken took more than 5000 ms");
    await hanging.source.close();
  });

  it("sends nothing when a function gives no token that can be sent", async () => {
    for (const given of [undefined, "", "a\nb", 5]) {
      const { server, recorder, source } = await started(ok([one]), {
        directoryToken: () => given as string,
      });
      expect(recorder.errors[0]?.message).toContain("directoryToken() gave no usable text");
      expect(server.requests).toEqual([]);
      await source.close();
    }
  });

  it("counts what it leaves out, and logs it once", async () => {
    const { clock, recorder, source, warnings } = await started(ok([one, { ip: "x", port: 1 }]));
    await clock.settle(20_000);
    expect(recorder.last).toMatchObject({ version: 1, rejected: 1 });
    expect(warnings).toMatchObject([{ rejected: 1, firstProblem: expect.stringMatching(/^ip/) }]);
    await source.close();
  });
});
