import { describe, expect, it } from "vitest";
import { startTestHost } from "../support/hosts.js";
import { callRaw, frameOf, predictMessage } from "../support/raw-grpc.js";
import { http, post, reasonOf } from "../support/raw-http.js";

const high = { "x-inferwire-priority": "high" };

/** Waits until a host has so many calls waiting. */
async function waiting(port: number, count: number): Promise<void> {
  while (JSON.parse((await http(port, "/api/builtin/monitor")).text).queueLength !== count);
}

describe("priority", () => {
  it("lets high calls of both doors in first, at the cost of the youngest normal ones", async () => {
    const started: string[] = [];
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { port } = await startTestHost(
      {
        async process(data) {
          started.push(Buffer.from(data).toString());
          await opened;
          return data;
        },
      },
      { workerThreads: 1, maxQueueLength: 3 },
    );
    const running = post(port, "/test", "running");
    while (started.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const calls = [post(port, "/test", "oldest")];
    await waiting(port, 1);
    const overGrpc = callRaw(port, frameOf(predictMessage("young, over gRPC")));
    await waiting(port, 2);
    const overHttp = post(port, "/test", "younger, over HTTP");
    await waiting(port, 3);

    calls.push(post(port, "/test", "high, over HTTP", high));
    const refused = await overHttp;
    expect([refused.status, reasonOf(refused)]).toEqual([450, "QUEUE_FULL"]);
    const highOverGrpc = callRaw(port, frameOf(predictMessage("high, over gRPC")), high);
    expect((await overGrpc).trailers["inferwire-reason"]).toBe("QUEUE_FULL");

    open();
    await Promise.all([running, ...calls, highOverGrpc]);
    expect(started).toEqual(["running", "high, over HTTP", "high, over gRPC", "oldest"]);
  });
});

describe("requestsPerSecond", () => {
  it("refuses what is above it, and says over both doors when to come back", async () => {
    const { port } = await startTestHost({}, { requestsPerSecond: 0.1 });
    expect((await post(port, "/test", "first")).status).toBe(200);

    const answer = await post(port, "/test", "second");
    expect([answer.status, reasonOf(answer)]).toEqual([429, "RATE_LIMITED"]);
    const { retryAfterMs } = JSON.parse(answer.text).error;
    expect(Number(answer.headers.get("retry-after"))).toBe(Math.ceil(retryAfterMs / 1_000));

    const outcome = await callRaw(port, frameOf(predictMessage("third")));
    const trailers = outcome.trailers;
    expect([outcome.status, trailers["inferwire-reason"]]).toEqual([8, "RATE_LIMITED"]);
    expect(trailers["grpc-retry-pushback-ms"]).toMatch(/^[1-9]\d*$/);
    expect(Number(trailers["grpc-retry-pushback-ms"])).toBeLessThanOrEqual(10_000);
  });
});
