import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { metadataOf } from "../../src/core/metadata.js";
import { silentLogger, systemClock } from "../../src/core/ports.js";
import { Status } from "../../src/core/status.js";
import { serverLimits } from "../../src/server/limits.js";
import { openPort, type Port } from "../../src/server/port.js";
import type { RpcCall, RpcReader, RpcRoute } from "../../src/server/rpc.js";

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(routes: readonly RpcRoute[]): Promise<{ port: Port; client: Client }> {
  const port = await openPort({
    endpoint: { host: "127.0.0.1", port: 0 },
    limits: serverLimits(),
    rpcRoutes: routes,
    http: () => {},
    authorize: () => undefined,
    clock: systemClock,
    logger: silentLogger,
  });
  const client = new Client(`127.0.0.1:${port.address.port}`, credentials.createInsecure());
  closing.push(
    () => port.close(),
    () => client.close(),
  );
  return { port, client };
}

function route(
  path: string,
  kinds: { readonly requestStream: boolean; readonly responseStream: boolean },
  accept: (call: RpcCall) => RpcReader,
): RpcRoute {
  return { path, ...kinds, accept };
}

const bytes = (text: string): Buffer => Buffer.from(text);
const same = (buffer: Buffer): Buffer => buffer;
const ok = { code: Status.OK, message: "" };

/** Reads every message, answers each at once or all at the end, with headers and trailers. */
function echo(path: string, requestStream: boolean, responseStream: boolean): RpcRoute {
  return route(path, { requestStream, responseStream }, (call) => {
    const received: string[] = [];
    call.sendHeaders(metadataOf({ "x-head": String(call.metadata.get("x-ask")) }));
    call.read();
    return {
      onMessage(message) {
        received.push(Buffer.from(message).toString());
        if (responseStream)
          call.send(bytes(received.at(-1) ?? ""), requestStream ? () => call.read() : undefined);
        else if (requestStream) call.read();
      },
      onHalfClose() {
        if (!responseStream) call.send(bytes(received.join("+")));
        call.end({ ...ok, trailers: metadataOf({ "x-tail": String(received.length) }) });
      },
      onClose() {},
    };
  });
}

/** What a grpc-js call of any kind came to. */
function outcome(call: {
  on(event: "metadata", listener: (metadata: Metadata) => void): unknown;
  on(event: "status", listener: (status: { code: number; metadata: Metadata }) => void): unknown;
}): Promise<{ head: unknown; code: number; tail: unknown }> {
  return new Promise((resolve) => {
    let head: unknown;
    call.on("metadata", (metadata) => {
      head = metadata.get("x-head")[0];
    });
    call.on("status", ({ code, metadata }) =>
      resolve({ head, code, tail: metadata.get("x-tail")[0] }),
    );
  });
}

function asking(): Metadata {
  const metadata = new Metadata();
  metadata.set("x-ask", "please");
  return metadata;
}

describe("the port's four kinds of RPC", () => {
  it("unary: one message each way, headers and trailers", async () => {
    const { client } = await serve([echo("/t.S/Unary", false, false)]);
    const answers: string[] = [];
    const call = client.makeUnaryRequest(
      "/t.S/Unary",
      same,
      same,
      bytes("one"),
      asking(),
      (_, answer) => answers.push(String(answer)),
    );
    expect(await outcome(call)).toEqual({ head: "please", code: 0, tail: "1" });
    expect(answers).toEqual(["one"]);
  });

  it("client streaming: many messages in, one out", async () => {
    const { client } = await serve([echo("/t.S/In", true, false)]);
    const answers: string[] = [];
    const call = client.makeClientStreamRequest("/t.S/In", same, same, asking(), (_, answer) =>
      answers.push(String(answer)),
    );
    const ended = outcome(call);
    for (const text of ["a", "b", "c"]) call.write(bytes(text));
    call.end();
    expect(await ended).toEqual({ head: "please", code: 0, tail: "3" });
    expect(answers).toEqual(["a+b+c"]);
  });

  it("server streaming: one message in, many out, at the reader's pace", async () => {
    const total = 200;
    let flushed = 0;
    const { client } = await serve([
      route("/t.S/Out", { requestStream: false, responseStream: true }, (call) => {
        let sent = 0;
        const next = (): void => {
          flushed = sent;
          if (sent === total) call.end(ok);
          else {
            sent++;
            call.send(Buffer.alloc(100_000, sent), next);
          }
        };
        call.read();
        return { onMessage() {}, onHalfClose: next, onClose() {} };
      }),
    ]);
    const call = client.makeServerStreamRequest("/t.S/Out", same, same, bytes("go"));
    await new Promise((resolve) => call.once("readable", resolve));
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    // Nobody has read: most of the 20 MB is still on the sender's side, not in anybody's memory.
    expect(flushed).toBeLessThan(total / 2);
    const lengths: number[] = [];
    for await (const piece of call) lengths.push(piece.length);
    expect(lengths).toHaveLength(total);
  });

  it("bidirectional: answers while messages still come", async () => {
    const { client } = await serve([echo("/t.S/Both", true, true)]);
    const call = client.makeBidiStreamRequest("/t.S/Both", same, same, asking());
    const ended = outcome(call);
    const answers: string[] = [];
    call.on("data", (answer: Buffer) => {
      answers.push(answer.toString());
      if (answers.length < 3) call.write(bytes(`${answers.length}`));
      else call.end();
    });
    call.write(bytes("0"));
    expect(await ended).toEqual({ head: "please", code: 0, tail: "3" });
    expect(answers).toEqual(["0", "1", "2"]);
  });

  it("tell the reader once when the caller cancels, and when its deadline passes", async () => {
    const closes: number[] = [];
    const { client } = await serve([
      route("/t.S/Wait", { requestStream: true, responseStream: true }, (call) => {
        call.read();
        const index = closes.push(0) - 1;
        return {
          onMessage() {
            call.send(bytes("seen"));
          },
          onHalfClose() {},
          onClose() {
            closes[index] = (closes[index] ?? 0) + 1;
          },
        };
      }),
    ]);
    const cancelled = client.makeBidiStreamRequest("/t.S/Wait", same, same);
    cancelled.on("error", () => {});
    cancelled.write(bytes("x"));
    await new Promise((resolve) => cancelled.once("data", resolve));
    cancelled.cancel();
    const late = client.makeBidiStreamRequest("/t.S/Wait", same, same, {
      deadline: Date.now() + 100,
    });
    const error = await new Promise<ServiceError>((resolve) => late.once("error", resolve));
    expect(error.code).toBe(Status.DEADLINE_EXCEEDED);
    while (closes.some((count) => count === 0))
      await new Promise((resolve) => setImmediate(resolve));
    expect(closes).toEqual([1, 1]);
  });

  it("end only once, with the first status", async () => {
    const { client } = await serve([
      route("/t.S/Twice", { requestStream: false, responseStream: false }, (call) => {
        call.read();
        return {
          onMessage() {},
          onHalfClose() {
            call.end({ code: Status.ABORTED, message: "first" });
            call.end({ code: Status.OK, message: "" });
            call.send(bytes("late"));
          },
          onClose() {},
        };
      }),
    ]);
    const error = await new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest("/t.S/Twice", same, same, bytes("x"), (failure) => resolve(failure));
    });
    expect([error?.code, error?.details]).toEqual([Status.ABORTED, "first"]);
  });
});
