import { ServerError, Status, startHost } from "inferwire/host";
import { BuiltinServiceDefinition, PredictServiceDefinition } from "inferwire/proto";
import { type ClientError, createChannel, createClient, Metadata } from "nice-grpc";
import { describe, expect, it, onTestFinished } from "vitest";
import { startTestHost } from "../support/hosts.js";
import {
  callRaw,
  frameOf,
  openSession,
  outcomeOf,
  predictMessage,
  startCall,
} from "../support/raw-grpc.js";
import { answerOf, connectRaw, exchangeRaw, http, post, reasonOf } from "../support/raw-http.js";
import { recordingLogger } from "../support/recording-logger.js";

function channelTo(port: number): ReturnType<typeof createChannel> {
  const channel = createChannel(`127.0.0.1:${port}`);
  onTestFinished(() => channel.close());
  return channel;
}

const predictClient = (port: number) => createClient(PredictServiceDefinition, channelTo(port));
const builtinClient = (port: number) => createClient(BuiltinServiceDefinition, channelTo(port));

async function failure(promise: Promise<unknown>): Promise<ClientError> {
  return promise.then(
    () => Promise.reject(new Error("expected a failure")),
    (error: ClientError) => error,
  );
}

/** Waits until a host has so many calls in progress. */
async function inProgress(port: number, count: number): Promise<void> {
  while (JSON.parse((await http(port, "/api/builtin/monitor")).text).inFlight < count);
}

/** A promise and the way to settle it from outside. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe("an answer of process()", () => {
  it("goes out as 200 when it is bytes, and as status 0 over gRPC", async () => {
    const { port } = await startTestHost({ process: (data) => data });
    expect((await post(port, "/api/predict/any", "in")).status).toBe(200);
    expect(await predictClient(port).predict({ data: Buffer.from("in") })).toEqual({
      data: Buffer.from("in"),
      status: 0,
    });
  });

  it("carries its own status: HTTP's over HTTP, beside the bytes over gRPC, which ends OK", async () => {
    const { port } = await startTestHost({ process: () => [Buffer.from("False"), 400] });
    const answer = await post(port, "/test", "2 105");
    expect([answer.status, answer.text]).toEqual([400, "False"]);
    const { data, status } = await predictClient(port).predict({});
    expect([Buffer.from(data).toString(), status]).toEqual(["False", 400]);
  });

  it("sends headers and trailers that process() sets", async () => {
    const { port } = await startTestHost({
      process(data, call) {
        call.header.set("content-type", "text/plain").set("x-model", "v7");
        call.trailer.set("x-cost", "3");
        return data;
      },
    });
    const answer = await post(port, "/test", "x");
    expect(answer.headers.get("content-type")).toBe("text/plain");
    expect(answer.headers.get("x-model")).toBe("v7");
    let header = Metadata();
    let trailer = Metadata();
    await predictClient(port).predict(
      {},
      {
        onHeader(m) {
          header = m;
        },
        onTrailer(m) {
          trailer = m;
        },
      },
    );
    expect([header.get("x-model"), trailer.get("x-cost")]).toEqual(["v7", "3"]);
  });

  it("tells process() where the call went: path, query, headers, door, time left", async () => {
    const { port } = await startTestHost({
      process: (_data, call) =>
        Buffer.from(
          JSON.stringify([
            call.door,
            call.method,
            call.path,
            call.query.get("top"),
            call.metadata.get("x-user"),
            call.remainingMs() > 4_000,
            call.signal.aborted,
          ]),
        ),
    });
    const answer = await post(port, "/api/predict/demo/v1/chat?top=3", "x", { "x-user": "ada" });
    expect(JSON.parse(answer.text)).toEqual(["eas", "POST", "/v1/chat", "3", "ada", true, false]);
    const other = await post(port, "/some/where", "x");
    expect(JSON.parse(other.text).slice(2, 3)).toEqual(["/some/where"]);
    const { data } = await predictClient(port).predict({ path: "/sub" });
    expect(JSON.parse(Buffer.from(data).toString()).slice(0, 3)).toEqual([
      "grpc",
      "/inferwire.predict.v1.PredictService/Predict",
      "/sub",
    ]);
  });

  it("in pieces is streamed over PredictStream and as chunks over HTTP, and refused by Predict", async () => {
    const { port } = await startTestHost({
      async *process() {
        yield Buffer.from("one ");
        yield Buffer.from("two");
      },
    });
    const pieces: string[] = [];
    for await (const { data } of predictClient(port).predictStream({})) {
      pieces.push(Buffer.from(data).toString());
    }
    expect(pieces).toEqual(["one ", "two"]);
    const answer = await post(port, "/test", "x");
    expect([answer.status, answer.text]).toEqual([200, "one two"]);
    expect(answer.headers.get("content-length")).toBeNull();
    const error = await failure(predictClient(port).predict({}));
    expect([error.code, error.details]).toEqual([
      Status.UNIMPLEMENTED,
      expect.stringContaining("PredictStream"),
    ]);
  });

  it("in pieces that is refused or never read gives its place back", async () => {
    const { port } = await startTestHost({
      async *process() {
        yield Buffer.from("never read");
      },
    });
    const client = predictClient(port);
    for (let i = 0; i < 8; i++) {
      expect((await failure(client.predict({}))).code).toBe(Status.UNIMPLEMENTED);
    }
    expect(JSON.parse((await http(port, "/api/builtin/monitor")).text).inFlight).toBe(0);
  });

  it("in pieces is broken off when the caller takes none for streamIdleTimeoutMs, on both protocols", async () => {
    const reasons: string[] = [];
    const { port } = await startTestHost(
      {
        async *process(_data, call) {
          call.signal.addEventListener("abort", () => reasons.push(call.signal.reason.reason));
          for (;;) yield Buffer.alloc(4_000_000);
        },
      },
      { streamIdleTimeoutMs: 200 },
    );
    const socket = await connectRaw(port);
    socket.pause();
    socket.write("POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx");
    socket.on("error", () => {});
    await inProgress(port, 1);
    while (JSON.parse((await http(port, "/api/builtin/monitor")).text).inFlight > 0);
    socket.destroy();
    const session = openSession(port);
    const stream = startCall(session, {
      ":path": "/inferwire.predict.v1.PredictService/PredictStream",
    });
    stream.end(frameOf(new Uint8Array(0)));
    await inProgress(port, 1);
    while (JSON.parse((await http(port, "/api/builtin/monitor")).text).inFlight > 0);
    session.destroy();
    expect(reasons).toEqual(["DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"]);
  });

  it("goes without the headers that belong to the protocol, on both protocols", async () => {
    const { port } = await startTestHost({
      process(data, call) {
        for (const name of [
          "connection",
          "te",
          "transfer-encoding",
          "content-length",
          "trailer",
          "upgrade",
        ]) {
          call.header.set(name, "trailers");
          call.trailer.set(name, "trailers");
        }
        call.header.set("grpc-status", "13").set("x-mine", "yes");
        return data;
      },
    });
    const answer = await post(port, "/test", "whole");
    expect([answer.status, answer.text, answer.headers.get("x-mine")]).toEqual([
      200,
      "whole",
      "yes",
    ]);
    const outcome = await callRaw(port, frameOf(predictMessage("whole")));
    expect([outcome.status, outcome.trailers["x-mine"]]).toEqual([0, "yes"]);
    expect(outcome.trailers["content-type"]).toBe("application/grpc+proto");
  });

  it("over the message limit is refused on both protocols", async () => {
    const { port } = await startTestHost(
      { process: () => Buffer.alloc(5_000) },
      { maxMessageBytes: 1_000 },
    );
    const answer = await post(port, "/test", "x");
    expect([answer.status, reasonOf(answer)]).toEqual([413, "MESSAGE_TOO_LARGE"]);
    expect((await failure(predictClient(port).predict({}))).code).toBe(Status.RESOURCE_EXHAUSTED);
  });

  it("that fails after its first piece breaks the HTTP connection, and is an error over gRPC", async () => {
    const { port } = await startTestHost({
      async *process() {
        yield Buffer.from("half");
        throw new ServerError(Status.DATA_LOSS, "torn");
      },
    });
    await expect(post(port, "/test", "x")).rejects.toThrow();
    const read = async (): Promise<void> => {
      for await (const _ of predictClient(port).predictStream({}));
    };
    expect(await failure(read())).toMatchObject({ code: Status.DATA_LOSS, details: "torn" });
  });
});

describe("a processor that misbehaves", () => {
  const cases: readonly [string, () => never, string][] = [
    ["returns nothing", () => undefined as never, "returned nothing"],
    ["returns text", () => "text" as never, "a string"],
    ["returns a status that is none", () => [Buffer.from("x"), 7] as never, "status 7"],
    ["returns text beside a status", () => ["x", 200] as never, "beside a status"],
    [
      "promises pieces instead of returning them",
      () => Promise.resolve((async function* () {})()) as never,
      "an object",
    ],
  ];
  for (const [name, process, text] of cases) {
    it(`${name}: INTERNAL and 500, saying what was expected`, async () => {
      const { port } = await startTestHost({ process });
      const answer = await post(port, "/test", "x");
      expect([answer.status, reasonOf(answer)]).toEqual([500, "PROCESSOR_BAD_ANSWER"]);
      expect(answer.text).toContain(text);
      const error = await failure(predictClient(port).predict({}));
      expect([error.code, error.details]).toEqual([
        Status.INTERNAL,
        expect.stringContaining("expected"),
      ]);
    });
  }

  it("throws: UNKNOWN and 400, its text in the log and not in the answer", async () => {
    const { lines, logger } = recordingLogger();
    const process = () => {
      throw new Error("password is hunter2");
    };
    const { port } = await startTestHost({ process }, { logger });
    const answer = await post(port, "/test", "x");
    expect([answer.status, reasonOf(answer)]).toEqual([400, "PROCESSOR_THREW"]);
    expect(answer.text).not.toContain("hunter2");
    const error = await failure(predictClient(port).predict({}));
    expect([error.code, error.details]).toEqual([Status.UNKNOWN, "process() threw"]);
    expect(lines.filter((line) => line.message === "process() failed")).toHaveLength(2);
  });

  it("throws with exposeErrors: its text goes out", async () => {
    const process = () => {
      throw new Error("no such label");
    };
    const { port } = await startTestHost({ process }, { exposeErrors: true });
    expect((await post(port, "/test", "x")).text).toContain("no such label");
  });

  it("throws a ServerError: its own status and text go out as they are", async () => {
    const { port } = await startTestHost({
      process(_data, call) {
        call.trailer.set("x-why", "unknown");
        throw new ServerError(Status.NOT_FOUND, "no user 7 \ud800");
      },
    });
    const answer = await post(port, "/test", "x");
    expect([answer.status, answer.text]).toEqual([404, expect.stringContaining("no user 7")]);
    let why: string | undefined;
    const onTrailer = (trailer: Metadata): void => {
      why = trailer.get("x-why");
    };
    const error = await failure(predictClient(port).predict({}, { onTrailer }));
    expect([error.code, error.details]).toEqual([Status.NOT_FOUND, "no user 7 \ufffd"]);
    expect(why).toBe("unknown");
  });
});

describe("tokens", () => {
  const options = { token: ["old", "new"], service: "digits" };

  it("are taken bare and as Bearer, any of the list, on both protocols", async () => {
    const { port } = await startTestHost({}, options);
    for (const authorization of ["old", "new", "Bearer new", "bearer old"]) {
      expect((await post(port, "/api/predict/digits", "x", { authorization })).status).toBe(200);
      const { status } = await callRaw(port, frameOf(predictMessage("x")), { authorization });
      expect(status).toBe(0);
    }
  });

  it("that are missing or wrong are refused with 401 and UNAUTHENTICATED, saying which", async () => {
    const { port } = await startTestHost({}, options);
    const missing = await post(port, "/api/predict/digits", "x");
    expect([missing.status, reasonOf(missing)]).toEqual([401, "UNAUTHENTICATED"]);
    const wrong = await post(port, "/api/predict/digits", "x", { authorization: "nope" });
    expect(wrong.text).toContain("a wrong token");
    expect(wrong.text).not.toContain("old");
    const outcome = await callRaw(port, frameOf(predictMessage("x")), { authorization: "nope" });
    expect([outcome.status, outcome.trailers["inferwire-reason"]]).toEqual([16, "UNAUTHENTICATED"]);
  });

  it("are checked before a body is read", async () => {
    const { port } = await startTestHost({}, options);
    const head = "POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n";
    expect((await exchangeRaw(port, `${head}\r\n`)).text).toContain("HTTP/1.1 401");
    const expecting = await exchangeRaw(port, `${head}expect: 100-continue\r\n\r\n`);
    expect(expecting.text).toContain("HTTP/1.1 401");
    expect(expecting.text).not.toContain("100 Continue");
    const session = openSession(port);
    const outcome = await outcomeOf(startCall(session));
    expect(outcome.status).toBe(Status.UNAUTHENTICATED);
    session.destroy();
  });

  it("are not asked of health, and of ping only when it is not open", async () => {
    const { port } = await startTestHost({}, options);
    expect((await http(port, "/livez")).status).toBe(200);
    expect((await http(port, "/readyz")).status).toBe(200);
    expect((await http(port, "/api/builtin/ping")).status).toBe(401);
    const open = await startTestHost({}, { ...options, open: ["ping"] });
    expect((await http(open.port, "/api/builtin/ping")).status).toBe(200);
    expect((await http(open.port, "/livez")).status).toBe(401);
  });
});

describe("routes", () => {
  it("refuse a service that is not hosted: 404 and NOT_FOUND", async () => {
    const { port } = await startTestHost({}, { service: "digits" });
    expect((await post(port, "/api/predict/digits", "x")).status).toBe(200);
    const answer = await post(port, "/api/predict/letters", "x");
    expect([answer.status, reasonOf(answer)]).toEqual([404, "UNKNOWN_SERVICE"]);
    const error = await failure(predictClient(port).predict({ service: "letters" }));
    expect([error.code, error.details]).toEqual([
      Status.NOT_FOUND,
      expect.stringContaining("digits"),
    ]);
  });

  it("refuse other paths when otherPaths is off", async () => {
    const { port } = await startTestHost({}, { otherPaths: false });
    const answer = await post(port, "/test", "x");
    expect([answer.status, reasonOf(answer)]).toEqual([404, "UNKNOWN_ROUTE"]);
  });

  it("refuse another verb with 405", async () => {
    const { port } = await startTestHost();
    for (const path of ["/api/predict/x", "/test"]) {
      expect((await http(port, path)).status).toBe(405);
    }
    expect((await post(port, "/api/builtin/monitor", "")).status).toBe(405);
  });

  it("tell at the path of a method which content types it takes", async () => {
    const { port } = await startTestHost();
    const answer = await post(port, "/inferwire.predict.v1.PredictService/Predict", "x");
    expect([answer.status, reasonOf(answer)]).toEqual([415, "UNKNOWN_CONTENT_TYPE"]);
    expect(answer.text).toContain("application/grpc-web+proto");
  });
});

describe("builtins", () => {
  it("ping says who answers and echoes, over both doors", async () => {
    const { port } = await startTestHost({}, { service: "digits", name: "a-1" });
    const answer = JSON.parse((await post(port, "/api/builtin/ping", "hi")).text);
    expect(answer).toMatchObject({
      service: "digits",
      instance: "a-1",
      state: "ready",
      echo: "hi",
    });
    const response = await builtinClient(port).ping({ echo: Buffer.from("hi") });
    expect(response).toMatchObject({ instance: "a-1", state: "ready", pid: process.pid });
    expect(Buffer.from(response.echo).toString()).toBe("hi");
  });

  it("monitor counts calls by door, method and status", async () => {
    const { port } = await startTestHost({ process: (data) => [data, 404] });
    await post(port, "/api/predict/x", "1");
    await post(port, "/api/predict/x", "2");
    await predictClient(port).predict({});
    const { methods } = JSON.parse((await http(port, "/api/builtin/monitor")).text);
    expect(methods).toContainEqual(
      expect.objectContaining({
        door: "eas",
        method: "POST /api/predict",
        status: "404",
        count: 2,
      }),
    );
    const response = await builtinClient(port).monitor({});
    expect(response.methods).toContainEqual(
      expect.objectContaining({ door: "grpc", status: "OK", count: 1n }),
    );
    expect(response.lanes).toEqual([expect.objectContaining({ kind: "inline", calls: 3n })]);
  });

  it("that do not exist name the nearest", async () => {
    const { port } = await startTestHost();
    const unknown = await http(port, "/api/builtin/pign");
    expect([unknown.status, unknown.text]).toEqual([404, expect.stringContaining("did you mean")]);
  });

  it("term stops the host, from this machine only and never for a web page", async () => {
    const host = await startTestHost();
    const refused = {
      origin: "https://evil.example",
      "x-forwarded-for": "10.0.0.1",
      via: "1.1 proxy",
    };
    for (const [name, value] of Object.entries(refused)) {
      const answer = await post(host.port, "/api/builtin/term", "", { [name]: value });
      expect([answer.status, reasonOf(answer)]).toEqual([403, "FORBIDDEN"]);
    }
    for (const body of ["{}", '{"gracePeriodMs": null}', '{"gracePeriodMs": "1"}', "nonsense"]) {
      expect((await post(host.port, "/api/builtin/term", body)).status).toBe(400);
    }
    const answer = await post(host.port, "/api/builtin/term", '{"gracePeriodMs": 100}');
    expect(JSON.parse(answer.text)).toEqual({ gracePeriodMs: 100 });
    await host.closed;
    expect(host.state).toBe("stopped");
  });

  it("term needs the admin token when there is one, over both doors", async () => {
    const host = await startTestHost({}, { token: "user", adminToken: "root" });
    const asUser = await post(host.port, "/api/builtin/term", "", { authorization: "user" });
    expect([asUser.status, reasonOf(asUser)]).toEqual([401, "UNAUTHENTICATED"]);
    const client = builtinClient(host.port);
    const withToken = (token: string) => ({ metadata: Metadata({ authorization: token }) });
    expect((await failure(client.term({}, withToken("user")))).code).toBe(Status.UNAUTHENTICATED);
    await client.term({}, withToken("root"));
    await host.closed;
  });
});

describe("admission", () => {
  it("runs at most workerThreads calls, queues in order, and refuses what the queue cannot hold", async () => {
    const door = gate();
    const started: string[] = [];
    const { port } = await startTestHost(
      {
        async process(data) {
          started.push(Buffer.from(data).toString());
          await door.opened;
          return data;
        },
      },
      { workerThreads: 2, maxQueueLength: 1 },
    );
    const client = predictClient(port);
    const calls = ["a", "b", "c"].map((name) => client.predict({ data: Buffer.from(name) }));
    const monitor = async () => JSON.parse((await http(port, "/api/builtin/monitor")).text);
    while ((await monitor()).queueLength < 1);
    expect(started).toEqual(["a", "b"]);
    const full = await exchangeRaw(
      port,
      "POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nd",
    );
    expect(full.text).toContain("HTTP/1.1 450");
    expect(full.text).toMatch(/^retry-after: [12]\r$/im);
    expect(full.closed).toBe(true);
    const outcome = await callRaw(port, frameOf(predictMessage("d")));
    expect(outcome.status).toBe(Status.UNAVAILABLE);
    expect(outcome.trailers["inferwire-reason"]).toBe("QUEUE_FULL");
    // About a second, as long as no call has ended.
    expect(outcome.trailers["grpc-retry-pushback-ms"]).toMatch(/^([89]\d\d|1[01]\d\d|1200)$/);
    door.open();
    await Promise.all(calls);
    expect(started).toEqual(["a", "b", "c"]);
  });

  it("refuses by bytes as well", async () => {
    const door = gate();
    const { port } = await startTestHost(
      { process: (data) => door.opened.then(() => data) },
      { workerThreads: 1, maxQueueBytes: 10 },
    );
    const client = predictClient(port);
    const first = client.predict({});
    await inProgress(port, 1);
    const answer = await post(port, "/test", "more than ten bytes");
    expect([answer.status, reasonOf(answer)]).toEqual([450, "QUEUE_FULL"]);
    door.open();
    await first;
  });

  it("never starts a call whose time is over or whose caller has gone", async () => {
    const door = gate();
    const started: string[] = [];
    const { port } = await startTestHost(
      {
        async process(data) {
          started.push(Buffer.from(data).toString());
          await door.opened;
          return data;
        },
      },
      { workerThreads: 1, requestTimeoutMs: 400 },
    );
    const running = failure(predictClient(port).predict({ data: Buffer.from("running") }));
    while (started.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const late = await post(port, "/test", "late");
    expect([late.status, reasonOf(late)]).toEqual([408, "DEADLINE_EXCEEDED"]);
    const gone = new AbortController();
    const left = failure(
      predictClient(port).predict({ data: Buffer.from("gone") }, { signal: gone.signal }),
    );
    gone.abort();
    await left;
    expect((await running).code).toBe(Status.DEADLINE_EXCEEDED);
    door.open();
    await post(port, "/test", "next");
    expect(started).toEqual(["running", "next"]);
  });
});

describe("deadlines and cancellation", () => {
  it("answers 408 and closes the connection, and aborts the signal of process()", async () => {
    const reasons: unknown[] = [];
    const { port } = await startTestHost(
      {
        process: (data, call) =>
          new Promise((resolve) => {
            call.signal.addEventListener("abort", () => {
              reasons.push(call.signal.reason.reason);
              resolve(data);
            });
          }),
      },
      { requestTimeoutMs: 100 },
    );
    const answer = await exchangeRaw(
      port,
      "POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx",
    );
    expect(answer.text).toContain("HTTP/1.1 408");
    expect(answer.closed).toBe(true);
    const outcome = await callRaw(port, frameOf(predictMessage("x")));
    expect(outcome.status).toBe(Status.DEADLINE_EXCEEDED);
    expect(reasons).toEqual(["DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"]);
  });

  it("keeps the caller's own deadline when it is nearer", async () => {
    const { port } = await startTestHost({ process: (_, call) => new Promise(() => call.signal) });
    const outcome = await callRaw(port, frameOf(predictMessage("x")), { "grpc-timeout": "50m" });
    expect(outcome.status).toBe(Status.DEADLINE_EXCEEDED);
  });

  it("aborts the signal when the caller goes away, on both protocols", async () => {
    const gone: string[] = [];
    const both = gate();
    const arrived = gate();
    const { port } = await startTestHost({
      process: (data, call) =>
        new Promise((resolve) => {
          arrived.open();
          call.signal.addEventListener("abort", () => {
            gone.push(call.door);
            if (gone.length === 2) both.open();
            resolve(data);
          });
        }),
    });
    const socket = await connectRaw(port);
    socket.write("POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx");
    await arrived.opened;
    socket.destroy();
    const session = openSession(port);
    const stream = startCall(session);
    stream.end(frameOf(predictMessage("x")));
    while (
      (JSON.parse((await http(port, "/api/builtin/monitor")).text).lanes[0].calls as number) < 2
    );
    stream.close(8);
    await both.opened;
    expect(gone.sort()).toEqual(["eas", "grpc"]);
    session.destroy();
  });
});

describe("pipelined requests", () => {
  it("give their places back when the caller leaves in the middle", async () => {
    const { port } = await startTestHost({
      async *process() {
        for (let i = 0; i < 100; i++) yield Buffer.alloc(1_000_000);
      },
    });
    const request = "POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx";
    const socket = await connectRaw(port);
    socket.pause();
    socket.write(request + request);
    await inProgress(port, 2);
    socket.destroy();
    while (JSON.parse((await http(port, "/api/builtin/monitor")).text).inFlight > 0);
  });
});

describe("a stop", () => {
  it("does not wait for connections that have said nothing", async () => {
    const host = await startTestHost();
    const silent = await connectRaw(host.port);
    const closed = answerOf(silent);
    await host.close({ gracePeriodMs: 60_000 });
    expect(await closed).toEqual({ text: "", closed: true });
  });

  it("disposes only when process() has ended, even when its caller has left", async () => {
    const door = gate();
    const order: string[] = [];
    const host = await startTestHost({
      async process(data) {
        await door.opened;
        order.push("processed");
        return data;
      },
      dispose() {
        order.push("disposed");
      },
    });
    const socket = await connectRaw(host.port);
    socket.write("POST /test HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx");
    await inProgress(host.port, 1);
    socket.destroy();
    const closing = host.close();
    setImmediate(door.open);
    await closing;
    expect(order).toEqual(["processed", "disposed"]);
  });

  it("lets calls in progress end, refuses new connections, and disposes", async () => {
    const door = gate();
    let disposed = 0;
    const host = await startTestHost({
      async process(data) {
        await door.opened;
        return data;
      },
      dispose() {
        disposed++;
      },
    });
    const overGrpc = predictClient(host.port).predict({ data: Buffer.from("kept") });
    const overHttp = post(host.port, "/test", "kept too");
    await inProgress(host.port, 2);
    const closing = host.close();
    expect(host.state).toBe("draining");
    await expect(connectRaw(host.port).then((socket) => answerOf(socket))).rejects.toThrow();
    door.open();
    expect(Buffer.from((await overGrpc).data).toString()).toBe("kept");
    const answer = await overHttp;
    expect([answer.text, answer.headers.get("connection")]).toEqual(["kept too", "close"]);
    await closing;
    await host.close();
    expect([host.state, disposed]).toEqual(["stopped", 1]);
  });

  it("ends what is left after the grace period with UNAVAILABLE and 503", async () => {
    const host = await startTestHost({ process: () => new Promise(() => {}) });
    const overGrpc = failure(predictClient(host.port).predict({}));
    const overHttp = post(host.port, "/test", "x");
    await inProgress(host.port, 2);
    await host.close({ gracePeriodMs: 100 });
    expect(await overGrpc).toMatchObject({
      code: Status.UNAVAILABLE,
      details: expect.stringContaining("stopped before the call ended"),
    });
    const answer = await overHttp;
    expect([answer.status, reasonOf(answer)]).toEqual([503, "ABORTED_BY_STOP"]);
  });

  it("stays reachable but not ready for preStopDelayMs", async () => {
    const host = await startTestHost({}, { preStopDelayMs: 200 });
    const closing = host.close();
    expect((await http(host.port, "/readyz")).status).toBe(503);
    expect((await http(host.port, "/livez")).status).toBe(200);
    expect((await post(host.port, "/test", "still")).text).toBe("still");
    await closing;
  });
});

describe("a start", () => {
  it("that is stopped before it is ready rejects, and registers nowhere", async () => {
    const door = gate();
    const { lines, logger } = recordingLogger();
    const starting = startTestHost(
      { initialize: () => door.opened },
      { logger, service: "digits", directory: "127.0.0.1:1" },
    );
    const refused = failure(starting);
    const bound = () => lines.find((line) => line.message === "port bound");
    while (bound() === undefined) await new Promise((resolve) => setImmediate(resolve));
    const port = Number(String(bound()?.fields["address"]).split(":")[1]);
    await post(port, "/api/builtin/term", "");
    door.open();
    expect(await refused).toMatchObject({ reason: "DRAINING" });
    expect(lines.map((line) => line.message)).not.toContain("service started");
    expect(lines.map((line) => line.message)).not.toContain("could not register");
  });

  it("is not ready while it initialises, and says so to calls", async () => {
    const door = gate();
    const { lines, logger } = recordingLogger();
    const starting = startTestHost({ initialize: () => door.opened }, { logger });
    const bound = () => lines.find((line) => line.message === "port bound");
    while (bound() === undefined) await new Promise((resolve) => setImmediate(resolve));
    const port = Number(String(bound()?.fields["address"]).split(":")[1]);
    expect((await http(port, "/readyz")).status).toBe(503);
    const early = await post(port, "/test", "x");
    expect([early.status, reasonOf(early)]).toEqual([503, "NOT_READY"]);
    door.open();
    await starting;
    expect((await http(port, "/readyz")).status).toBe(200);
  });

  it("fails when initialize() throws, and frees the port", async () => {
    const { lines, logger } = recordingLogger();
    const parts = {
      initialize: () => {
        throw new Error("model.bin is missing");
      },
    };
    await expect(startTestHost(parts, { logger })).rejects.toMatchObject({
      reason: "INITIALIZE_FAILED",
      message: "initialize() threw: model.bin is missing",
    });
    const address = String(lines.find((line) => line.message === "port bound")?.fields["address"]);
    const again = await startTestHost({}, { endpoint: address });
    expect(again.state).toBe("ready");
  });

  it("fails when the port is taken, naming it", async () => {
    const { port } = await startTestHost();
    await expect(startTestHost({}, { endpoint: `127.0.0.1:${port}` })).rejects.toMatchObject({
      reason: "ADDRESS_IN_USE",
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });

  it("warns when it is bound beyond loopback without a token", async () => {
    const warned = async (options: object): Promise<boolean> => {
      const { lines, logger } = recordingLogger();
      await startTestHost({}, { logger, ...options });
      return lines.some(
        (line) => line.level === "warn" && line.message.includes("without a token"),
      );
    };
    expect(await warned({ endpoint: ":0" })).toBe(true);
    expect(await warned({ endpoint: ":0", token: "t" })).toBe(false);
    expect(await warned({})).toBe(false);
  });

  it("takes any object of a processor's shape by startHost", async () => {
    const host = await startHost(
      { process: (data) => data },
      { endpoint: "127.0.0.1:0", logger: recordingLogger().logger },
    );
    expect((await post(host.address.port, "/test", "x")).text).toBe("x");
    await host.close();
  });
});
