import { describe, expect, it } from "vitest";
import { emptyMetadata, metadataOf } from "../../../../src/core/metadata.js";
import { type ServingError, servingError } from "../../../../src/core/serving-error.js";
import { Status } from "../../../../src/core/status.js";
import type { RpcCall, RpcRoute } from "../../../../src/server/rpc.js";
import { enveloped } from "../../../../src/server/web/envelope.js";
import { createWebDoor, type WebDoor } from "../../../../src/server/web/web-door.js";
import { createFakeClock, type FakeClock, flushPromises } from "../../../support/fake-clock.js";
import { FakeWebRequest } from "../../../support/fake-web-request.js";
import { webDescriptorSet } from "../../../support/web-service.js";

const UNARY = "/test.web.WebService/Unary";
const STREAM = "/test.web.WebService/ServerStream";
const CLIENT_STREAM = "/test.web.WebService/ClientStream";
const BARE = "/test.bare.Service/Unary";
/** Methods with limits of their own for JSON. */
const SMALL = "/grpc.health.v1.Health/Check";
const LARGE = "/grpc.health.v1.Health/List";
const IDLE_MS = 300_000;
const message = Uint8Array.of(10, 1, 65);
const ok = { code: Status.OK, message: "" };

/** A door whose calls a test answers by hand. */
class DoorTester {
  readonly clock: FakeClock = createFakeClock();
  readonly door: WebDoor;
  readonly calls: RpcCall[] = [];
  readonly received: Uint8Array[] = [];
  readonly closed: (ServingError | undefined)[] = [];

  /** Why calls would be refused. */
  refusal: ServingError | undefined;
  readonly #arrived: Promise<void>;
  #markArrived: () => void = () => {};

  constructor() {
    this.#arrived = new Promise((resolve) => {
      this.#markArrived = resolve;
    });
    this.door = createWebDoor({
      routes: [
        this.#route(UNARY, false, false),
        this.#route(STREAM, false, true),
        this.#route(CLIENT_STREAM, true, false),
        this.#route(BARE, false, false),
        { ...this.#route(SMALL, false, false), maxJsonBytes: 4_096 },
        { ...this.#route(LARGE, false, false), maxJsonBytes: 65_537 },
      ],
      limits: { idleTimeoutMs: IDLE_MS, maxJsonBytes: 65_536 },
      clock: this.clock,
      descriptorSets: [webDescriptorSet],
    });
  }

  #route(path: string, requestStream: boolean, responseStream: boolean): RpcRoute {
    return {
      path,
      requestStream,
      responseStream,
      accept: (call) => {
        this.calls.push(call);
        call.read();
        return {
          onMessage: (received) => {
            this.received.push(received);
            this.#markArrived();
          },
          onHalfClose() {},
          refusal: () => this.refusal,
          onClose: (error) => this.closed.push(error),
        };
      },
    };
  }

  /** Serves a request, until its message has been read. */
  async serve(path: string, type: string, body: Uint8Array, headers: object = {}) {
    const request = new FakeWebRequest(path, type, body, headers);
    this.door.serve(request);
    const [call] = this.calls;
    if (call === undefined) throw new Error("no call");
    await Promise.race([this.#arrived, request.answered]);
    return { request, call };
  }
}

const text = (bytes: Uint8Array | string | undefined): string =>
  Buffer.from(bytes ?? "").toString("latin1");

describe("a call over gRPC-Web or Connect", () => {
  it("is what its route sees of it", async () => {
    const tester = new DoorTester();
    const headers = { "grpc-timeout": "5S", host: "h", "x-ask": "a" };
    const { call } = await tester.serve(
      UNARY,
      "application/grpc-web",
      enveloped(0, message),
      headers,
    );
    expect([call.door, call.path, call.peer, call.deadlineMs]).toEqual([
      "grpc-web",
      UNARY,
      "127.0.0.1:1234",
      1_005_000,
    ]);
    expect([...call.metadata.entries()]).toEqual([["x-ask", "a"]]);
    expect(tester.received.map(text)).toEqual([text(message)]);
  });

  it("turns JSON into bytes and back", async () => {
    const tester = new DoorTester();
    const json = Buffer.from('{"text": "A", "bigNumber": "9007199254740993"}');
    const { call, request } = await tester.serve(UNARY, "application/json", json);
    call.send(tester.received[0] ?? message);
    call.end(ok);
    expect(JSON.parse(text(request.replies[0]?.body))).toEqual({
      text: "A",
      bigNumber: "9007199254740993",
    });
  });

  it.each([
    ["no JSON at all", "{", "the message is not JSON"],
    ["no UTF-8", "\u{fc}", "the message is not JSON"],
    ["an unknown field", '{"texts": "A"}', "texts"],
    ["a value that does not fit", '{"text": 5}', "text"],
  ])("refuses %s, tells its route why, and runs nothing", async (_, json, problem) => {
    const tester = new DoorTester();
    const { request } = await tester.serve(UNARY, "application/json", Buffer.from(json, "latin1"));
    expect(request.replies[0]?.status).toBe(400);
    expect(JSON.parse(text(request.replies[0]?.body))).toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining(problem),
    });
    expect(tester.closed).toMatchObject([{ reason: "MALFORMED_REQUEST" }]);
    expect(tester.received).toEqual([]);
  });

  it.each([
    [UNARY, "application/json", { maxBytes: 65_536, limited: "JSON" }],
    [SMALL, "application/json", { maxBytes: 4_096, limited: "JSON" }],
    [LARGE, "application/json", { maxBytes: 65_536, limited: "JSON" }],
    [UNARY, "application/proto", {}],
    [UNARY, "application/grpc-web", {}],
  ])("takes of a body of %s in %s no more than %j", async (path, type, expected) => {
    const { request } = await new DoorTester().serve(path, type, enveloped(0, message));
    const { maxBytes, limited } = request.bodyOptions ?? {};
    expect({ maxBytes, limited }).toEqual({ maxBytes: undefined, limited: undefined, ...expected });
  });

  it("reads no JSON of a call that would be refused", async () => {
    const tester = new DoorTester();
    tester.refusal = servingError("QUEUE_FULL", "full");
    for (const json of ["no JSON", " ".repeat(20_000)]) {
      const { request } = await tester.serve(UNARY, "application/json", Buffer.from(json));
      expect(JSON.parse(text(request.replies[0]?.body))).toEqual({
        code: "unavailable",
        message: "full",
      });
    }
    expect(tester.closed.map((error) => error?.reason)).toEqual(["QUEUE_FULL", "QUEUE_FULL"]);
  });

  it("reads long JSON in turns of the event loop, and not for whoever has left meanwhile", async () => {
    const tester = new DoorTester();
    const json = Buffer.from(`{"text": "${"x".repeat(20_000)}"}`);
    const requests = Array.from({ length: 4 }, () => {
      const request = new FakeWebRequest(UNARY, "application/json", json);
      tester.door.serve(request);
      return request;
    });
    const seen: number[] = [];
    while (tester.received.length < 3) {
      await new Promise((resolve) => setImmediate(resolve));
      if (tester.received.length === 1) requests[2]?.leave();
      seen.push(tester.received.length);
    }
    expect([...new Set(seen)].filter((count) => count > 0)).toEqual([1, 2, 3]);
  });

  it("says how to give a descriptor set where there is none", async () => {
    const tester = new DoorTester();
    const { request } = await tester.serve(BARE, "application/json", Buffer.from("{}"));
    expect(request.replies[0]?.status).toBe(501);
    expect(text(request.replies[0]?.body)).toContain("option descriptorSet");
  });

  it("fails when what its route answers is no message", async () => {
    const tester = new DoorTester();
    const { call, request } = await tester.serve(UNARY, "application/json", Buffer.from("{}"));
    call.send(Uint8Array.of(255));
    call.end(ok);
    expect(request.replies).toHaveLength(1);
    expect(request.replies[0]?.status).toBe(500);
    expect(tester.closed).toMatchObject([{ reason: "ANSWER_MALFORMED" }]);
  });

  it("ends at its deadline, and tells its route", async () => {
    const tester = new DoorTester();
    const headers = { "connect-timeout-ms": "70" };
    const { call, request } = await tester.serve(UNARY, "application/proto", message, headers);
    tester.clock.advance(69);
    expect(request.replies).toEqual([]);
    tester.clock.advance(1);
    expect(request.replies[0]?.status).toBe(504);
    expect(tester.closed).toMatchObject([{ reason: "DEADLINE_EXCEEDED" }]);
    call.send(message);
    call.end(ok);
    expect(request.replies).toHaveLength(1);
  });

  it("leaves no timer behind", async () => {
    const tester = new DoorTester();
    const headers = { "connect-timeout-ms": "70" };
    const { call } = await tester.serve(UNARY, "application/proto", message, headers);
    call.end(ok);
    expect([tester.clock.pending(), tester.closed]).toEqual([[], [undefined]]);
  });

  it("tells its route when the caller leaves", async () => {
    const tester = new DoorTester();
    const { call, request } = await tester.serve(UNARY, "application/proto", message);
    request.leave();
    call.end(ok);
    expect([tester.closed, request.replies]).toEqual([[undefined], []]);
  });

  it("sends a stream at the pace of its reader", async () => {
    const tester = new DoorTester();
    const { call, request } = await tester.serve(
      STREAM,
      "application/grpc-web",
      enveloped(0, message),
    );
    call.sendHeaders(metadataOf({ "x-head": "h" }));
    let flushed = 0;
    call.send(Uint8Array.of(1), () => flushed++);
    expect(request.head?.headers).toMatchObject({ "x-head": "h" });
    expect([...((await request.pull()) ?? [])]).toEqual([0, 0, 0, 0, 1, 1]);
    expect(flushed).toBe(0);
    const second = request.pull();
    expect(flushed).toBe(1);
    call.send(Uint8Array.of(2));
    expect([...((await second) ?? [])]).toEqual([0, 0, 0, 0, 1, 2]);
    call.end({ code: Status.ABORTED, message: "torn" });
    expect(text(await request.pull())).toContain("grpc-status: 10\r\ngrpc-message: torn");
    expect(await request.pull()).toBeUndefined();
  });

  it("lets go of a reader who takes no last piece", async () => {
    const tester = new DoorTester();
    const body = enveloped(0, message);
    const { call, request } = await tester.serve(STREAM, "application/grpc-web", body);
    call.send(message);
    call.end({ code: Status.DEADLINE_EXCEEDED, message: "" });
    tester.clock.advance(IDLE_MS - 1);
    expect(request.broken).toBe(false);
    tester.clock.advance(1);
    expect(request.broken).toBe(true);
  });

  it("waits for nobody once its port is closed", async () => {
    const tester = new DoorTester();
    const body = enveloped(0, message);
    const { call } = await tester.serve(STREAM, "application/grpc-web", body);
    call.send(message);
    call.end(ok);
    tester.door.close();
    expect(tester.clock.pending()).toEqual([]);
  });

  it("waits for nobody who has taken the last piece, or has gone", async () => {
    for (const goes of [true, false]) {
      const tester = new DoorTester();
      const body = enveloped(0, message);
      const { call, request } = await tester.serve(STREAM, "application/connect+proto", body);
      call.send(message);
      call.end(ok);
      if (goes) request.leave();
      else while ((await request.pull()) !== undefined);
      await flushPromises();
      tester.clock.advance(2 * IDLE_MS);
      expect(request.broken).toBe(false);
      expect(await request.pull()).toBeUndefined();
    }
  });
});

describe("createWebDoor", () => {
  const head = (method: string, path: string, type: string) => ({
    method,
    path,
    metadata: metadataOf({ "content-type": type }),
  });

  it.each([
    ["a client stream", CLIENT_STREAM, "application/grpc-web", {}, "NOT_OVER_WEB"],
    ["a client stream of Connect", CLIENT_STREAM, "application/connect+proto", {}, "NOT_OVER_WEB"],
    ["a type of no protocol", UNARY, "text/plain", {}, "UNKNOWN_CONTENT_TYPE"],
    ["gRPC", UNARY, "application/grpc", {}, "UNKNOWN_CONTENT_TYPE"],
    ["Connect's unary type for a stream", STREAM, "application/json", {}, "UNKNOWN_CONTENT_TYPE"],
    [
      "Connect's stream type for one",
      UNARY,
      "application/connect+json",
      {},
      "UNKNOWN_CONTENT_TYPE",
    ],
    ["compression", UNARY, "application/grpc-web", { "grpc-encoding": "gzip" }, "NOT_OVER_WEB"],
    ["a bad time", UNARY, "application/grpc-web", { "grpc-timeout": "x" }, "MALFORMED_REQUEST"],
    ["a path it does not have", "/a.B/C", "application/grpc-web", {}, "UNKNOWN_ROUTE"],
  ])("refuses %s by its headers", (_, path, type, headers, reason) => {
    const tester = new DoorTester();
    const request = new FakeWebRequest(path, type, message, headers);
    expect(() => tester.door.serve(request)).toThrow(expect.objectContaining({ reason }));
    expect(tester.calls).toEqual([]);
  });

  it("tells calls from other requests", () => {
    const { door } = new DoorTester();
    expect(door.doorOf(head("POST", UNARY, "application/json"))).toBe("connect");
    expect(door.doorOf(head("POST", "/a.B/C", "application/grpc-web"))).toBe("grpc-web");
    expect(door.doorOf(head("POST", "/a.B/C", "application/json"))).toBeUndefined();
    expect(door.doorOf(head("POST", "/api/builtin/term", "application/grpc-web"))).toBeUndefined();
    expect(door.doorOf(head("GET", UNARY, "application/json"))).toBeUndefined();
    expect(door.doorOf({ method: "POST", path: UNARY, metadata: emptyMetadata })).toBeUndefined();
  });

  it("words errors in the caller's protocol, and a wrong type in nobody's", () => {
    const { door } = new DoorTester();
    const refusal = servingError("UNAUTHENTICATED", "no token");
    const asked = head("POST", UNARY, "application/grpc-web");
    expect(door.errorReply(asked, refusal)).toMatchObject({
      status: 200,
      headers: { "grpc-status": "16", "inferwire-reason": "UNAUTHENTICATED" },
    });
    expect(door.errorReply(head("GET", UNARY, ""), refusal).status).toBe(401);
    const wrongType = servingError("UNKNOWN_CONTENT_TYPE", "x");
    expect(door.errorReply(head("POST", UNARY, "application/json"), wrongType).status).toBe(415);
  });
});
