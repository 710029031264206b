import type { ServerHttp2Stream } from "node:http2";
import { type CallError, createClient } from "inferwire/client";
import { describe, expect, it } from "vitest";
import { someAtOnce } from "../../src/cli/some-at-once.js";
import { callOverHttp } from "../../src/client/http-call.js";
import { instanceOf } from "../../src/core/instance.js";
import { createGrpcTransport } from "../../src/transport/grpc-transport.js";
import { EchoDefinition, startEcho } from "../support/client-echo.js";
import {
  endWithStatus,
  type OddServer,
  startHttp2Server,
  startHttpServer,
  startSocketServer,
} from "../support/client-sockets.js";
import { startFrameServer } from "../support/frame-server.js";
import { type HostileGrpc, hostileGrpc } from "../support/hostile-grpc.js";
import { type HostileHttp, hostileHttp } from "../support/hostile-http.js";
import { openHttpChannel } from "../support/http-channel.js";
import { createHurriedClock } from "../support/hurried-clock.js";
import { pace } from "../support/pace.js";
import { defaultPoolPolicy } from "../support/pool-policy.js";
import { recordingLogger } from "../support/recording-logger.js";
import { until } from "../support/until.js";

/** For a call that can be answered; a machine that is busy needs most of it. */
const TIMEOUT_MS = 1_500;

/** No measure of speed: a call that its deadline does not end waits for as long as the server likes, which is for ever. */
const HANGS_MS = 20_000;

const CALLS = 12;

/** Three attempts for each call, one for each look whether the instance lives, and a watch that is opened again. */
const MOST_ASKED = CALLS * 3 + 20;

const MOST_LINES = 30;

const AT_ONCE = 4;

/** A client for one case, whatever it speaks. */
interface Caller extends AsyncDisposable {
  /** @throws CallError */
  call(): Promise<unknown>;
}

/** What a case is made of, whatever it speaks. */
interface Case {
  readonly says: readonly string[];
  /** Connections or requests that the hostile server has seen, whichever are more. */
  readonly asked: () => number;
  readonly hostile: OddServer;
  readonly goodPort: number;
  readonly open: (...ports: readonly number[]) => { caller: Caller; lines: () => number };
}

/** What came of a server that means no good. */
interface Outcome {
  /** What the first call said, unless that was expected. */
  readonly unexpected: string | undefined;
  readonly ended: boolean;
  /** Failures of the instance beside it. */
  readonly otherFailed: number;
  readonly otherServed: boolean;
  readonly askedSeldom: boolean;
  readonly saidLittle: boolean;
  readonly left: number;
}

const survived: Outcome = {
  unexpected: undefined,
  ended: true,
  otherFailed: 0,
  otherServed: true,
  askedSeldom: true,
  saidLittle: true,
  left: 0,
};

async function outcomeOf({ says, asked, hostile, goodPort, open }: Case): Promise<Outcome> {
  const alone = open(hostile.port);
  const began = performance.now();
  const first = await reasonOf(alone.caller.call());
  const tookMs = performance.now() - began;
  await alone.caller[Symbol.asyncDispose]();
  const beside = open(hostile.port, goodPort);
  const calls = Array.from({ length: CALLS }, () => beside.caller.call());
  const settled = await Promise.allSettled(calls);
  await beside.caller[Symbol.asyncDispose]();
  await until(() => hostile.open() === 0, 5_000).catch(() => {});
  const other = `127.0.0.1:${goodPort}`;
  const failed = settled.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  return {
    unexpected: says.includes(first) ? undefined : first,
    ended: tookMs < HANGS_MS,
    otherFailed: failed.filter(({ instance }) => instance === other).length,
    otherServed: failed.length < CALLS,
    askedSeldom: asked() <= MOST_ASKED,
    saidLittle: alone.lines() + beside.lines() <= MOST_LINES,
    left: hostile.open(),
  };
}

function reasonOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "OK",
    (error: CallError) => (error.name === "CallError" ? error.reason : String(error)),
  );
}

/** Some at once, since most of the time is spent waiting. */
async function outcomesOf<T extends { readonly name: string }>(
  cases: readonly T[],
  run: (each: T) => Promise<Outcome>,
): Promise<Readonly<Record<string, Outcome>>> {
  const outcomes = await someAtOnce(cases, AT_ONCE, async (each) => [each.name, await run(each)]);
  return Object.fromEntries(outcomes);
}

function allSurvive(cases: readonly { readonly name: string }[]): object {
  return Object.fromEntries(cases.map(({ name }) => [name, survived]));
}

describe("a client of gRPC servers that mean no good", () => {
  const open: Case["open"] = (...ports) => {
    const { logger, lines } = recordingLogger();
    const client = createClient(EchoDefinition, {
      target: ports.map((port) => `127.0.0.1:${port}`).join(","),
      timeoutMs: TIMEOUT_MS,
      connectTimeoutMs: 400,
      loadReports: true,
      logger,
      seed: 1,
    });
    const caller = {
      call: () => client.unary({ text: "x".repeat(100) }),
      [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
    };
    return { caller, lines: () => lines.length };
  };

  it("tells what is wrong in time, serves from others, asks seldom and leaves nothing", {
    timeout: 60_000,
  }, async () => {
    await using good = await startEcho();
    const run = async ({ serving, says }: HostileGrpc): Promise<Outcome> => {
      await using hostile = await startFrameServer(serving);
      const asked = (): number => Math.max(hostile.connections, hostile.streams);
      return await outcomeOf({ says, asked, hostile, goodPort: good.port, open });
    };
    expect(await outcomesOf(hostileGrpc, run)).toEqual(allSurvive(hostileGrpc));
  });
});

describe("a client of gRPC servers whose word on their own health means no good", () => {
  /** A statement of the health service: serving or not. */
  const statement = (serving: boolean): Buffer => Buffer.from([0, 0, 0, 0, 2, 8, serving ? 1 : 2]);
  const respond = (stream: ServerHttp2Stream): void =>
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
  const talking = (everyMs: number, words: number, say: (n: number) => Uint8Array) => {
    return (stream: ServerHttp2Stream): void => {
      respond(stream);
      let said = 0;
      const timer = setInterval(() => {
        for (let n = 0; n < words && !stream.destroyed; n++) stream.write(say(said++));
      }, everyMs);
      stream.on("close", () => clearInterval(timer));
    };
  };
  const watches: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
    "never answers": () => {},
    "begins and says nothing": respond,
    "floods statements": talking(1, 100, () => statement(true)),
    "flips a thousand times a second": talking(1, 1, (n) => statement(n % 2 === 0)),
    "talks rubbish": talking(1, 10, () => Buffer.from([0, 0, 0, 0, 3, 255, 255, 255])),
    "ends every watch": (stream) => endWithStatus(stream, { "grpc-status": "13" }),
  };

  const names = Object.keys(watches);

  /** An instance that answers calls, and whose health service does as the case says. */
  async function startHostile(name: string) {
    const asked: string[] = [];
    const server = await startHttp2Server((stream, headers) => {
      const path = headers[":path"] ?? "";
      if (path.startsWith("/grpc.health.v1.")) {
        asked.push(path);
        watches[name]?.(stream);
        return;
      }
      stream.respond(
        { ":status": 200, "content-type": "application/grpc" },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.from([0, 0, 0, 0, 1, 65]));
    });
    return { server, asked };
  }

  it.each(names)("fails no call when one %s, says little and leaves nothing", async (name) => {
    await using good = await startEcho();
    const { server: hostile, asked } = await startHostile(name);
    await using _hostile = hostile;
    const { logger, lines } = recordingLogger();
    const client = createClient(EchoDefinition, {
      target: `127.0.0.1:${hostile.port},127.0.0.1:${good.port}`,
      logger,
    });
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 4 }, () => client.unary({ text: "A" })));
    }
    await until(() => asked.length > 0);
    await client[Symbol.asyncDispose]();
    await until(() => hostile.open() === 0, 5_000);
    expect(lines.length).toBeLessThan(MOST_LINES);
  });

  it.each(names)("asks ever more seldom, and reads little, when one %s", async (name) => {
    const { server: hostile, asked } = await startHostile(name);
    await using _hostile = hostile;
    // Twelve seconds of the watch, and the shortest waits that chance may give.
    const clock = createHurriedClock();
    const transport = createGrpcTransport(instanceOf({ host: "127.0.0.1", port: hostile.port }), {
      tls: undefined,
      maxMessageBytes: 1_000,
      pingIntervalMs: 0,
      clock,
      random: () => 0,
    });
    transport.connect();
    await until(() => transport.state === "ready");
    let told = 0;
    transport.health.watch(() => told++);
    await pace.wait(600);
    const pending = clock.pending;
    transport.close();
    await until(() => hostile.open() === 0, 5_000);
    // Once a second would be twelve times, and a thousand statements a second twelve thousand.
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThanOrEqual(6);
    expect(told).toBeLessThanOrEqual(12 * 10 + 10);
    expect(pending).toBeLessThanOrEqual(2);
  });
});

describe("a client of HTTP servers that mean no good", () => {
  const pool = { ...defaultPoolPolicy, loadReports: true, connectTimeoutMs: 400 };
  const open: Case["open"] = (...ports) => {
    const channel = openHttpChannel(ports, { timeoutMs: TIMEOUT_MS, pool });
    const body = Buffer.from("x".repeat(100));
    const caller = {
      call: () => callOverHttp(channel.core, { path: "/x", headers: {}, body }),
      [Symbol.asyncDispose]: () => channel[Symbol.asyncDispose](),
    };
    return { caller, lines: () => 0 };
  };

  it("tells what is wrong in time, serves from others, asks seldom and leaves nothing", {
    timeout: 60_000,
  }, async () => {
    await using good = await startHttpServer((_request, body, response) => response.end(body));
    const run = async ({ says, onConnection, onRequest }: HostileHttp): Promise<Outcome> => {
      let seen = 0;
      await using hostile = await startSocketServer((socket) => {
        seen++;
        onConnection?.(socket);
        socket.on("data", () => onRequest?.(socket));
      });
      return await outcomeOf({ says, asked: () => seen, hostile, goodPort: good.port, open });
    };
    expect(await outcomesOf(hostileHttp, run)).toEqual(allSurvive(hostileHttp));
  });
});
