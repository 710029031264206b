import { startHost } from "inferwire/host";
import { createClient, Metadata } from "nice-grpc";
import { describe, expect, it, onTestFinished } from "vitest";
import { EchoDefinition } from "../support/client-echo.js";
import { startTestHost } from "../support/hosts.js";
import {
  flag,
  LaneHost,
  labOf,
  laneOptions,
  launchLaneHost,
  startLaneHost,
} from "../support/lane-hosts.js";
import { programUrl } from "../support/programs.js";
import { post } from "../support/raw-http.js";
import { until } from "../support/until.js";
import { typedProcessor } from "./programs/host-lanes-typed.js";

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const kinds = ["inline", "thread", "process"] as const;
const remote = ["thread", "process"] as const;

/** One member of each. */
const each = <T, K extends keyof T>(views: readonly T[], key: K): readonly T[K][] =>
  views.map((view) => view[key]);

describe.each(kinds)("a host with %s lanes", (kind) => {
  const count = kind === "inline" ? 1 : 2;

  it("answers over both doors, in one piece and in many", async () => {
    const host = await startLaneHost(kind);
    const large = "x".repeat(300_000);
    for (const body of ["", "abc", large]) {
      expect(await host.call("echo", body)).toBe(body);
      expect(await host.callGrpc("echo", body)).toBe(body);
    }
    const pieces: string[] = [];
    const request = { path: "pieces", data: Buffer.from("40") };
    for await (const { data } of host.predict.predictStream(request)) {
      pieces.push(Buffer.from(data).toString());
    }
    expect(pieces).toEqual(Array.from({ length: 40 }, (_, at) => `${at}.`));
    expect(await host.call("pieces", "40")).toBe(pieces.join(""));
  });

  it("serves all four kinds of a typed service", async () => {
    const started = await typedProcessor({
      ...laneOptions(kind, 2),
      module: programUrl("host-lanes-typed.ts"),
      endpoint: "127.0.0.1:0",
      logLevel: "silent",
    }).start();
    onTestFinished(() => started.close({ gracePeriodMs: 0 }));
    const host = new LaneHost(started.address.port);
    onTestFinished(() => host.close());
    const client = createClient(EchoDefinition, host.channel);
    async function* send(...all: readonly string[]) {
      for (const text of all) yield { text };
    }
    const collect = async (answers: AsyncIterable<{ readonly text: string }>) => {
      const all: string[] = [];
      for await (const { text } of answers) all.push(text);
      return all;
    };
    let header: Metadata | undefined;
    const onHeader = (metadata: Metadata): void => {
      header = metadata;
    };
    expect(await client.unary({ text: "a" }, { onHeader })).toEqual({ text: "a!" });
    const elsewhere = Number(header?.get("x-pid")) !== process.pid;
    expect(elsewhere).toBe(kind === "process");
    expect(await collect(client.serverStream({ text: "a,b,c" }))).toEqual(["a", "b", "c"]);
    expect(await client.clientStream(send("a", "b", "c"))).toEqual({ text: "a+b+c" });
    expect(await collect(client.bidi(send("a", "b", "c")))).toEqual(["a!", "b!", "c!"]);
  });

  it("runs builtins of the processor where it is: properties, messages, functions", async () => {
    const host = await startLaneHost(kind);
    const { properties } = await host.builtin.setProperties({ values: new Map([["depth", "7"]]) });
    expect(properties.map(({ name, value }) => [name, value])).toEqual([["depth", "7"]]);
    const told = await post(host.port, "/api/builtin/tell", "one");
    expect(JSON.parse(told.text)).toEqual({ lanes: count });
    expect(await host.builtin.tell({ message: Buffer.from("two") })).toEqual({ lanes: count });
    const views = await host.views(count);
    expect(each(views, "depth")).toEqual(Array(count).fill("7"));
    expect(each(views, "told")).toEqual(Array(count).fill(["one", "two"]));
    const reversed = await host.builtin.call({ function: "reverse", data: Buffer.from("abc") });
    expect(Buffer.from(reversed.data).toString()).toBe("cba");
    const overHttp = await post(host.port, "/api/builtin/call?function=reverse", "abc");
    expect(overHttp.text).toBe("cba");
    const unknown = await post(host.port, "/api/builtin/call?function=revers", "abc");
    expect(unknown.status).toBe(404);
  });

  it("shows its lanes to monitor, each where it says it is", async () => {
    const host = await startLaneHost(kind);
    const views = await host.views(count);
    expect(views.map(({ kind: own, index, count: all }) => [own, index, all])).toEqual(
      Array.from({ length: count }, (_, index) => [kind, index, count]),
    );
    expect(new Set(each(views, "pid")).size).toBe(kind === "process" ? count : 1);
    expect(new Set(each(views, "threadId")).size).toBe(kind === "thread" ? count : 1);
    const lanes = await host.lanes();
    expect(lanes.map(({ kind: own, index, restarts }) => [own, index, restarts])).toEqual(
      Array.from({ length: count }, (_, index) => [kind, index, 0]),
    );
    for (const { calls } of lanes) expect(calls).toBeGreaterThan(0);
    expect((await host.builtin.monitor({})).lanes.map((lane) => lane.kind)).toEqual(
      each(lanes, "kind"),
    );
  });

  it("runs the middleware of the processor's constructor where the processor is", async () => {
    const host = await startLaneHost(kind, {}, "host-lanes-stamped.mjs");
    const answer = await post(host.port, "/who", "");
    const { pid } = JSON.parse(answer.text) as { pid: number };
    expect(answer.headers.get("x-stamped-in")).toBe(String(pid));
    expect(pid === process.pid).toBe(kind !== "process");
  });

  it("carries the trace of a call on to what its processor calls", async () => {
    const seen: (string | undefined)[] = [];
    const inner = await startTestHost({
      process(data, call) {
        seen.push(call.trace?.traceparent);
        return data;
      },
    });
    const host = await startLaneHost(kind, {
      modelConfig: { inner: `static:///127.0.0.1:${inner.port}` },
    });
    for (const text of ["one", "two"]) {
      expect((await post(host.port, "/relay", text, { traceparent })).text).toBe(text);
    }
    const metadata = Metadata({ traceparent });
    await host.predict.predict({ path: "relay" }, { metadata });
    expect(await host.call("relay", "none")).toBe("none");
    expect(seen).toEqual([traceparent, traceparent, traceparent, undefined]);
  });

  it("is warming while samples are replayed, five times each in each lane, before any call", async () => {
    const cold = flag();
    cold.raise();
    const launched = await launchLaneHost(kind, {
      modelConfig: { cold: cold.path },
      warmUp: [Buffer.from("a"), Buffer.from("b")],
    });
    await until(async () => (await launched.host.readiness()) === "503 warming");
    expect(await launched.host.call("echo", "early")).toBe("503 NOT_READY");
    cold.lower();
    const host = await launched.started;
    expect(await host.readiness()).toBe("200 ready");
    const warm = ["initialized", ..."aaaaabbbbb"];
    const views = await host.views(count);
    expect(each(views, "events")).toEqual(Array(count).fill(warm));
  });

  it("is unready while isReady() says no in every lane, refuses calls at once, and is ready again", async () => {
    const host = await startLaneHost(kind);
    const health = host.watchHealth();
    const set = (ready: string) =>
      host.builtin.setProperties({ values: new Map([["ready", ready]]) });
    await set("no");
    await until(async () => (await host.readiness()) === "503 unready");
    expect(each(await host.lanes(), "state")).toEqual(Array(count).fill("unready"));
    expect(await host.callGrpc("echo", "refused")).toBe("14 NOT_READY");
    await set("yes");
    await until(async () => (await host.readiness()) === "200 ready");
    await until(() => health.length === 3);
    expect(health).toEqual([1, 2, 1]);
    expect(await host.call("echo", "answered")).toBe("answered");
  });
});

describe.each(remote)("a host that loses %s lanes", (kind) => {
  it("ends the call, is not ready with too few lanes, replaces the lane, and goes on", async () => {
    const hold = flag();
    const host = await startLaneHost(kind, {
      minReadyLanes: 2,
      modelConfig: { hold: hold.path },
    });
    const health = host.watchHealth();
    await until(() => health.length === 1);
    hold.raise();
    expect(await host.callGrpc("exit")).toBe("14 LANE_DIED");
    await until(async () => (await host.readiness()) === "503 unready");
    await until(() => health.length === 2);
    expect(await host.call("echo", "by the other")).toBe("by the other");
    expect((await host.restarts()).toSorted()).toEqual([0, 0]);
    hold.lower();
    await until(async () => (await host.readiness()) === "200 ready");
    expect((await host.restarts()).toSorted()).toEqual([0, 1]);
    await until(() => health.length === 3);
    expect(health).toEqual([1, 2, 1]);
    const events = each(await host.views(2), "events");
    expect(events).toEqual([["initialized"], ["initialized"]]);
    const story = host.lines.map(({ message }) => message);
    expect(story.filter((line) => /^(lane (died|replaced)|host )/.test(line))).toEqual([
      "lane died: the lane ended with exit code 3",
      "host unready",
      "lane replaced",
      "host ready",
    ]);
  });

  it("ends a call over HTTP with 503 and LANE_DIED, and other calls not at all", async () => {
    const go = flag();
    const host = await startLaneHost(kind);
    const other = host.call("wait", go.path);
    await until(async () => (await host.lanes()).some(({ inFlight }) => inFlight === 1));
    expect(await host.call("exit")).toBe("503 LANE_DIED");
    go.raise();
    expect(await other).toBe("kept");
    expect(await host.call("echo", "goes on")).toBe("goes on");
  });

  it("ends an answer in pieces in its midst, over both doors", async () => {
    const host = await startLaneHost(kind);
    const go = flag();
    const pieces: string[] = [];
    let reason: unknown;
    const read = async (): Promise<void> => {
      const request = { path: "torn", data: Buffer.from(go.path) };
      const onTrailer = (trailer: Metadata): void => {
        reason = trailer.get("inferwire-reason");
      };
      for await (const { data } of host.predict.predictStream(request, { onTrailer })) {
        pieces.push(Buffer.from(data).toString());
        go.raise();
      }
    };
    await expect(read()).rejects.toMatchObject({ code: 14 });
    expect([pieces, reason]).toEqual([["half"], "LANE_DIED"]);
    go.lower();
    const answer = await fetch(`http://127.0.0.1:${host.port}/torn`, {
      method: "POST",
      body: go.path,
    });
    expect(answer.status).toBe(200);
    const body = answer.text();
    go.raise();
    await expect(body).rejects.toThrow();
    expect(await host.call("echo", "goes on")).toBe("goes on");
    await until(async () => (await host.restarts()).reduce((all, one) => all + one) === 2);
  });

  it("ends a call in an endless loop at its deadline, and replaces the lane later", async () => {
    const host = await startLaneHost(kind, { requestTimeoutMs: 300, hangTimeoutMs: 1_000 });
    expect(await host.call("loop")).toBe("408 DEADLINE_EXCEEDED");
    const looping = (await host.lanes()).find(({ inFlight }) => inFlight === 1);
    expect(looping).toMatchObject({ state: "busy", restarts: 0 });
    expect(await host.readiness()).toBe("200 ready");
    const restarts = async () => (await host.restarts())[looping?.index ?? -1];
    await until(async () => (await restarts()) === 1);
    const story = host.lines.filter(({ fields }) => fields["lane"] === looping?.index);
    expect(story.map(({ message }) => message)).toEqual([
      "lane ready",
      "lane stuck: it is ended",
      "lane replaced",
    ]);
    expect(await host.views(2)).toHaveLength(2);
  });

  it.each([
    ["HTTP", "call", "503 LANE_DIED", "400 REQUEST_QUARANTINED"],
    ["gRPC", "callGrpc", "14 LANE_DIED", "9 REQUEST_QUARANTINED"],
  ] as const)("refuses over %s a request that killed twice, and no other", async (...row) => {
    const [, by, died, refused] = row;
    const host = await startLaneHost(kind);
    for (const expected of [died, died, refused, refused]) {
      expect(await host[by]("poison", "poison")).toBe(expected);
    }
    expect(await host[by]("poison", "benign")).toBe("benign");
    expect(await host[by]("echo", "poison")).toBe("poison");
    await until(async () => (await host.restarts()).reduce((all, one) => all + one) === 2);
  });

  it("warms a lane up again that replaces another, and tells it what was set", async () => {
    const cold = flag();
    const host = await startLaneHost(kind, {
      lanes: 1,
      warmUp: [Buffer.from("a")],
      modelConfig: { cold: cold.path },
    });
    await host.builtin.setProperties({ values: new Map([["depth", "3"]]) });
    const [before] = await host.views(1);
    cold.raise();
    expect(await host.call("exit")).toBe("503 LANE_DIED");
    await until(async () => each(await host.lanes(), "state")[0] === "starting");
    const waiting = host.call("echo", "waited");
    await until(async () => (await host.queueLength()) === 1);
    expect(await host.readiness()).toBe("503 unready");
    cold.lower();
    expect(await waiting).toBe("waited");
    const [after] = await host.views(1);
    const same = after?.pid === before?.pid && after?.threadId === before?.threadId;
    expect(same).toBe(false);
    expect(after).toMatchObject({ depth: "3", events: ["initialized", ..."aaaaa"] });
  });
});

describe.each(remote)("startHost with %s lanes", (kind) => {
  const wrong = (text: RegExp) => ({
    reason: "INVALID_OPTION",
    message: expect.stringMatching(text),
  });

  it("refuses to be without a module", async () => {
    const Lab = await labOf("host-lanes.mjs");
    await expect(startHost(new Lab(), laneOptions(kind, 2))).rejects.toMatchObject(
      wrong(/^options\.module is missing/),
    );
    await expect(new Lab(laneOptions(kind, 2)).start()).rejects.toMatchObject(
      wrong(/^options\.module is missing/),
    );
  });

  it("refuses middleware that is not the processor's own", async () => {
    const Lab = await labOf("host-lanes.mjs");
    const options = { ...laneOptions(kind, 2), module: programUrl("host-lanes.mjs") };
    const middleware = async function* () {};
    await expect(startHost(new Lab(), { ...options, middleware })).rejects.toMatchObject(
      wrong(/^options\.middleware cannot cross/),
    );
  });
});
