import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/ports.js";
import { createHttpSource } from "../../../src/resolve/http-source.js";
import type { HttpGet, HttpGetRequest } from "../../../src/transport/http-get.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { easBody } from "../../support/source-http-server.js";
import { createSourceRecorder, type SourceRecorder } from "../../support/source-recorder.js";

const body = easBody([{ ip: "10.0.0.1", port: 80, weight: 100 }]);
const etag = '"1"';

interface Fixture {
  readonly clock: FakeClock;
  readonly recorder: SourceRecorder;
  readonly requests: HttpGetRequest[];
  /** Answers by URL; 200 gives a list with a tag, or 304 when that is asked for. Without one the connection fails. */
  statuses: Readonly<Record<string, number>>;
}

async function started(
  directories: readonly (readonly string[])[],
  statuses: Readonly<Record<string, number>>,
  random = 0.5,
): Promise<Fixture> {
  const clock = createFakeClock();
  const recorder = createSourceRecorder();
  const requests: HttpGetRequest[] = [];
  const fixture: Fixture = { clock, recorder, requests, statuses };
  const get: HttpGet = async (request) => {
    requests.push(request);
    const status = fixture.statuses[request.url];
    if (status === undefined) throw new Error("refused");
    const same = status === 200 && request.headers["if-none-match"] === etag;
    return {
      status: same ? 304 : status,
      header: () => etag,
      body: new TextEncoder().encode(status === 200 && !same ? body : ""),
    };
  };
  const options = { clock, logger: silentLogger, random: () => random, pollIntervalMs: 1_000 };
  const target = { kind: "http", text: "several", service: "mnist", directories } as const;
  createHttpSource(target, { ...options, get }).start(recorder);
  await clock.settle();
  return fixture;
}

const urlsOf = ({ requests }: Fixture): readonly string[] => requests.map(({ url }) => url);

describe("createHttpSource, several addresses", () => {
  it("asks at the next address after a 404, and then at the one that answered", async () => {
    const fixture = await started([["http://a/1", "http://a/2"]], {
      "http://a/1": 404,
      "http://a/2": 200,
    });
    await fixture.clock.settle(2_000);
    expect(urlsOf(fixture)).toEqual(["http://a/1", "http://a/2", "http://a/2", "http://a/2"]);
    expect(fixture.requests.at(-1)?.headers["if-none-match"]).toBe(etag);
    expect(fixture.recorder.snapshots.length).toBe(1);
    expect(fixture.recorder.confirmed.length).toBe(2);
  });

  it("goes back when the address is the other one again, without the tag of the old one", async () => {
    const fixture = await started([["http://a/1", "http://a/2"]], {
      "http://a/1": 404,
      "http://a/2": 200,
    });
    fixture.statuses = { "http://a/1": 200, "http://a/2": 404 };
    await fixture.clock.settle(1_000);
    expect(urlsOf(fixture).slice(2)).toEqual(["http://a/2", "http://a/1"]);
    expect(fixture.requests.at(-1)?.headers).not.toHaveProperty("if-none-match");
    expect(fixture.recorder.last?.stale).toBe(false);
  });

  it("does not ask a directory that fails at its other address", async () => {
    const fixture = await started([["http://a/1", "http://a/2"]], {
      "http://a/1": 500,
      "http://a/2": 200,
    });
    expect(urlsOf(fixture)).toEqual(["http://a/1"]);
    expect(fixture.recorder.errors[0]?.message).toContain("several: answered 500, expected 200");
  });

  it("goes on to the next directory, and stays with it", async () => {
    const fixture = await started(
      [["http://a/1", "http://a/2"], ["http://b/1"]],
      { "http://b/1": 200 },
      0,
    );
    await fixture.clock.settle(1_000);
    expect(urlsOf(fixture)).toEqual(["http://a/1", "http://b/1", "http://b/1"]);
    expect(fixture.recorder.last?.stale).toBe(false);
  });

  it("begins with any of them, and leaves each its part of the time", async () => {
    const fixture = await started(
      [["http://a/1"], ["http://b/1"]],
      { "http://a/1": 200, "http://b/1": 200 },
      0.9,
    );
    expect(urlsOf(fixture)).toEqual(["http://b/1"]);
    expect(fixture.requests[0]?.timeoutMs).toBe(2_500);
  });

  it("says that nobody knows the service only when all could be asked", async () => {
    const unknown = await started([["http://a/1"], ["http://b/1"]], {
      "http://a/1": 404,
      "http://b/1": 404,
    });
    expect(unknown.recorder.errors[0]?.reason).toBe("SERVICE_UNKNOWN");
    const unsure = await started([["http://a/1"], ["http://b/1"]], { "http://a/1": 404 });
    expect(unsure.recorder.errors[0]).toMatchObject({
      reason: "DIRECTORY_FAILED",
      message: "several: b: refused",
    });
  });
});
