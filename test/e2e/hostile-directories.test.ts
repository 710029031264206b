import { writeFileSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Answer } from "dns-packet";
import { createClient } from "inferwire/client";
import { describe, expect, it } from "vitest";
import { EchoDefinition, startEcho } from "../support/client-echo.js";
import { emptyFolder } from "../support/folders.js";
import { type DnsBehaviour, startHostileDns } from "../support/hostile-dns.js";
import { hostileLists } from "../support/hostile-lists.js";
import { createHurriedClock } from "../support/hurried-clock.js";
import { easBody } from "../support/source-http-server.js";
import { startSource } from "../support/started-source.js";
import { until } from "../support/until.js";

/** Something that lists instances, in the hands of a test. */
interface Engine extends AsyncDisposable {
  readonly target: string;
  /** Answers as it should: one instance. */
  good(): void;
  /** Answers as it should not. */
  bad(): void;
  /** How often it was asked; undefined where nobody is asked. */
  readonly asked?: number;
}

/** What became of a source whose engine was good, bad and good again. */
interface Outcome {
  readonly listed: readonly string[];
  readonly kept: boolean;
  readonly staleMeanwhile: boolean;
  readonly toldWhy: boolean;
  readonly askedSeldom: boolean;
  readonly freshAgain: boolean;
  readonly timersLeft: number;
}

const survived: Outcome = {
  listed: ["10.0.0.1:80=100"],
  kept: true,
  staleMeanwhile: true,
  toldWhy: true,
  askedSeldom: true,
  freshAgain: true,
  timersLeft: 0,
};

/** Of the hurried clock's time: twenty seconds. */
const OBSERVED_MS = 1_000;

/**
 * Waits between tries grow to two seconds; at first they are shorter. Far more than that many, and far fewer than without any wait,
 * however late a machine that is busy ends the time of the look.
 */
const MAX_ASKED = 100;

async function outcomeOf(engine: Engine): Promise<Outcome> {
  const clock = createHurriedClock();
  engine.good();
  const { source, recorder } = startSource(engine.target, { clock, pollIntervalMs: 1_000 });
  await until(() => recorder.snapshots.length > 0);
  engine.bad();
  const stale = await within(10_000, () => recorder.last?.stale === true);
  const askedBefore = engine.asked ?? 0;
  await sleep(OBSERVED_MS);
  const asked = (engine.asked ?? 0) - askedBefore;
  const kept = recorder.listed().length === 1;
  const staleMeanwhile = stale && recorder.last?.stale === true;
  engine.good();
  const freshAgain = await within(10_000, () => recorder.last?.stale === false);
  await source.close();
  await within(5_000, () => clock.pending === 0);
  return {
    listed: recorder.listed(),
    kept,
    staleMeanwhile,
    toldWhy:
      recorder.errors.length > 0 && recorder.errors.every(({ name }) => name === "DiscoveryError"),
    askedSeldom: asked <= MAX_ASKED,
    freshAgain,
    timersLeft: clock.pending,
  };
}

async function within(ms: number, holds: () => boolean): Promise<boolean> {
  return until(holds, ms).then(
    () => true,
    () => false,
  );
}

/** All at once, since most of the time is spent waiting; then nothing may be left open. */
async function outcomesOf<T>(
  cases: Readonly<Record<string, T>>,
  start: (bad: T) => Promise<Engine>,
): Promise<Readonly<Record<string, Outcome>>> {
  const openBefore = openHandles();
  const outcomes = await Promise.all(
    Object.entries(cases).map(async ([name, bad]) => {
      await using engine = await start(bad);
      return [name, await outcomeOf(engine)] as const;
    }),
  );
  await until(() => openHandles() <= openBefore);
  return Object.fromEntries(outcomes);
}

function allSurvive(cases: object): Readonly<Record<string, Outcome>> {
  return Object.fromEntries(Object.keys(cases).map((name) => [name, survived]));
}

/** Sockets, watches and files on disk that this process has open by its own doing. */
function openHandles(): number {
  const kinds = ["TCPSocketWrap", "UDPWrap", "TCPServerWrap", "FSEventWrap", "FSReqPromise"];
  return process.getActiveResourcesInfo().filter((kind) => kinds.includes(kind)).length;
}

const item = { ip: "10.0.0.1", port: 80 };

// Over HTTP

const goodHttp = httpAnswer(easBody([item]));

function httpAnswer(body: string | Buffer, headers: readonly string[] = []): Buffer {
  const lines = ["HTTP/1.1 200 OK", `content-length: ${Buffer.byteLength(body)}`, ...headers];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), Buffer.from(body)]);
}

/** Writes again and again, until nobody reads any more. */
function endless(socket: Socket, chunk: string): void {
  const pump = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", pump);
  pump();
}

type Talk = (socket: Socket) => void;

const badHttp: Readonly<Record<string, Talk>> = {
  "bytes that are no HTTP": (socket) => socket.end("\u0000\u0001\u0002 garbage\r\n\r\n"),
  "a page": (socket) => socket.end(httpAnswer("<html>Sign in</html>")),
  "half of the JSON": (socket) => socket.end(httpAnswer(easBody([item]).slice(0, -5))),
  "JSON that is only brackets": (socket) => socket.end(httpAnswer("[".repeat(1_000_000))),
  "bytes that are no UTF-8": (socket) => socket.end(httpAnswer(Buffer.alloc(1_000, 0xff))),
  "10 MB of JSON": (socket) => socket.end(httpAnswer(easBody(Array(500_000).fill(item)))),
  "compressed, though not asked to": (socket) =>
    socket.end(httpAnswer(Buffer.from([0x1f, 0x8b, 8, 0]), ["content-encoding: gzip"])),
  "items of which none makes sense": (socket) => socket.end(httpAnswer(easBody([{ ip: "x" }]))),
  nothing: () => {},
  "a reset": (socket) => socket.resetAndDestroy(),
  "the end, at once": (socket) => socket.end(),
  "less than it announced, and the end": (socket) =>
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{}"),
  "less than it announced, and silence": (socket) =>
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{}"),
  "more than it announced": (socket) =>
    socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n${easBody([item])}`),
  "a length of nonsense": (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n{}"),
  "two lengths": (socket) =>
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
  "a body without an end": (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    endless(socket, `8000\r\n${" ".repeat(0x8000)}\r\n`);
  },
  "a chunk of an impossible size": (socket) =>
    socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff1\r\n"),
  "headers without an end": (socket) => {
    socket.write("HTTP/1.1 200 OK\r\n");
    endless(socket, `x-a: ${"b".repeat(1_000)}\r\n`);
  },
  "hints without an end": (socket) => endless(socket, "HTTP/1.1 103 Early Hints\r\n\r\n"),
  "304 to a question without a tag": (socket) =>
    socket.end("HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n"),
  "a redirect to a place with a list": (socket) =>
    socket.end("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
  "404": (socket) => socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
};

async function startHttp(bad: Talk): Promise<Engine> {
  const sockets = new Set<Socket>();
  const state = { asked: 0, talk: bad };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.once("data", () => {
      state.asked += 1;
      state.talk(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    target: `http://127.0.0.1:${port}/upstreams/mnist`,
    good() {
      state.talk = (socket) => socket.end(goodHttp);
    },
    bad() {
      state.talk = bad;
    },
    get asked() {
      return state.asked;
    },
    async [Symbol.asyncDispose]() {
      // Those that the client has not let go of stay, and are counted.
      await until(() => sockets.size === 0);
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

// DNS

const srvName = "mnist.test";
const srvRecord: Answer = {
  type: "SRV",
  name: srvName,
  ttl: 1,
  data: { priority: 0, weight: 100, port: 80, target: "a.test" },
};
const goodDns: DnsBehaviour = ({ name, type, reply }) => [
  type === "SRV" && name === srvName
    ? reply({ answers: [srvRecord] })
    : reply({ answers: [{ type: "A", name, ttl: 1, data: "10.0.0.1" }] }),
];

const TRUNCATED = 1 << 9;

/** A message that is cut short in a datagram, and something else over TCP. */
function overTcp(talk: DnsBehaviour): DnsBehaviour {
  return (asked) => (asked.over === "udp" ? [asked.reply({ flags: TRUNCATED })] : talk(asked));
}

const badDns: Readonly<Record<string, DnsBehaviour>> = {
  silence: () => [],
  "another id": ({ id, reply }) => [reply({ id: (id + 1) % 65_536, answers: [srvRecord] })],
  "a thousand other ids": ({ id, reply }) =>
    Array.from({ length: 1_000 }, (_, index) => reply({ id: (id + index + 1) % 65_536 })),
  "the answer to another question": ({ type, reply }) => [
    reply({ questions: [{ type: type === "A" ? "AAAA" : "A", name: "other.test" }] }),
  ],
  "the question itself": ({ reply }) => [reply({ type: "query" })],
  garbage: () => [Buffer.from("garbage garbage garbage")],
  "an empty datagram": () => [Buffer.alloc(0)],
  "names that point to themselves": ({ reply }) => [withRing(reply({ answers: [srvRecord] }))],
  "more records than it sends": ({ reply }) => [withCount(reply({ answers: [srvRecord] }), 9)],
  "aliases in a ring": ({ name, reply }) => [
    reply({
      answers: [
        { type: "CNAME", name, data: "b.test" },
        { type: "CNAME", name: "b.test", data: name },
      ],
    }),
  ],
  "aliases without an end": ({ name, reply }) => [
    reply({
      answers: Array.from({ length: 40 }, (_, index) => ({
        type: "CNAME",
        name: index === 0 ? name : `c${index}`,
        data: `c${index + 1}`,
      })),
    }),
  ],
  "a target that is no name": ({ reply }) => [
    reply({ answers: [{ ...srvRecord, data: { port: 80, target: "a b.test" } }] }),
  ],
  "port 0": ({ reply }) => [
    reply({ answers: [{ ...srvRecord, data: { port: 0, target: "a.test" } }] }),
  ],
  SERVFAIL: ({ reply }) => [reply({ flags: 2 })],
  REFUSED: ({ reply }) => [reply({ flags: 5, questions: [] })],
  "a referral": ({ reply }) => [reply({ flags: 0 })],
  "cut short over TCP too": overTcp(({ reply }) => [reply({ flags: TRUNCATED })]),
  "silence over TCP": overTcp(() => []),
  "an empty message over TCP": overTcp(() => [Buffer.alloc(0)]),
  "64 KiB of nothing over TCP": overTcp(() => ({ raw: Buffer.alloc(2 + 65_535, 0xff) })),
  "half a message over TCP": overTcp(({ reply }) => ({
    raw: Buffer.concat([Buffer.from([0xff, 0xff]), reply()]),
  })),
};

/** The first record's name points to where it stands. */
function withRing(message: Buffer): Buffer {
  const at = 12 + srvName.length + 2 + 4;
  message.writeUInt16BE(0xc000 | at, at);
  return message;
}

function withCount(message: Buffer, answers: number): Buffer {
  message.writeUInt16BE(answers, 6);
  return message;
}

async function startDns(bad: DnsBehaviour): Promise<Engine> {
  const server = await startHostileDns();
  return {
    target: `srv://${server.address}/${srvName}`,
    good() {
      server.behaviour = goodDns;
    },
    bad() {
      server.behaviour = bad;
    },
    get asked() {
      return server.asked;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

// A file

const badFiles: Readonly<Record<string, string>> = {
  "a page": "<html>",
  nothing: "",
  "half of the JSON": easBody([item]).slice(0, -5),
  "10 MB of JSON": easBody(Array(400_000).fill(item)),
  "items of which none makes sense": easBody([{ ip: "x" }]),
};

async function startFile(bad: string): Promise<Engine> {
  const path = join(emptyFolder(), "mnist.json");
  return {
    target: pathToFileURL(path).href,
    good: () => writeFileSync(path, easBody([item])),
    bad: () => writeFileSync(path, bad),
    async [Symbol.asyncDispose]() {},
  };
}

describe("a source whose engine turns bad keeps its list, and asks on with patience", () => {
  it("over http", async () => {
    expect(await outcomesOf(badHttp, startHttp)).toEqual(allSurvive(badHttp));
  });

  it("over DNS", async () => {
    expect(await outcomesOf(badDns, startDns)).toEqual(allSurvive(badDns));
  });

  it("in a file", async () => {
    expect(await outcomesOf(badFiles, startFile)).toEqual(allSurvive(badFiles));
  });
});

describe("a hostile list", () => {
  it("over http and in a file costs what is wrong in it, is counted, and told once", async () => {
    const path = join(emptyFolder(), "mnist.json");
    const body = { text: "" };
    await using engine = await startHttp((socket) => socket.end(httpAnswer(body.text)));
    engine.bad();
    for (const { name, items, listed, rejected } of hostileLists) {
      body.text = easBody(items);
      writeFileSync(path, body.text);
      for (const target of [engine.target, pathToFileURL(path).href]) {
        const { source, recorder, warnings } = startSource(target, { pollIntervalMs: 20 });
        await until(() => recorder.snapshots.length + recorder.errors.length > 0);
        // Polled once more, it is not told again.
        const polled = target === engine.target && listed !== undefined;
        if (polled) await until(() => recorder.confirmed.length > 0);
        await source.close();
        expect([name, recorder.listed()]).toEqual([name, listed ?? []]);
        expect([name, recorder.last?.rejected]).toEqual([name, listed && rejected]);
        expect([name, warnings.length]).toEqual([name, listed && rejected > 0 ? 1 : 0]);
      }
    }
  });

  it("with 10,000 instances is taken, one of 10 MB refused and said so", async () => {
    const items = Array.from({ length: 10_000 }, (_, index) => ({
      ip: `10.0.${index >> 8}.${index & 255}`,
      port: 8080,
      weight: 100,
      app: "mnist",
    }));
    const body = { text: easBody(items) };
    await using engine = await startHttp((socket) => socket.end(httpAnswer(body.text)));
    engine.bad();
    const { source, recorder } = startSource(engine.target, { pollIntervalMs: 20 });
    await until(() => recorder.last?.instances.length === 10_000);
    body.text = easBody(Array.from({ length: 20 }, () => items).flat());
    expect(body.text.length).toBeGreaterThan(10_000_000);
    await until(() => recorder.errors.length > 0);
    expect(recorder.errors[0]?.cause).toMatchObject({ reason: "MESSAGE_TOO_LARGE" });
    expect(recorder.errors[0]?.message).toContain("longer than 4194304 bytes");
    expect(recorder.last).toMatchObject({ stale: true });
    expect(recorder.last?.instances.length).toBe(10_000);
    await source.close();
  });

  it("with the tag of the list before is taken for what it is", async () => {
    const body = { text: easBody([item]) };
    await using engine = await startHttp((socket) =>
      socket.end(httpAnswer(body.text, ['etag: "always the same"'])),
    );
    engine.bad();
    const { source, recorder } = startSource(engine.target, { pollIntervalMs: 20 });
    await until(() => recorder.snapshots.length === 1);
    body.text = easBody([{ ...item, port: 81 }]);
    await until(() => recorder.listed()[0] === "10.0.0.1:81=100");
    await source.close();
  });
});

describe("a client whose list does not stand still", () => {
  it("fails no call while ports change and weights flip from poll to poll", async () => {
    await using one = await startEcho();
    await using two = await startEcho();
    const polls = { count: 0 };
    await using engine = await startHttp((socket) => {
      const [light, heavy] = [0, 1_000_000];
      const even = polls.count++ % 2 === 0;
      socket.end(
        httpAnswer(
          easBody([
            { ip: "127.0.0.1", port: one.port, weight: even ? light : heavy },
            { ip: "127.0.0.1", port: two.port, weight: even ? heavy : light },
            { ip: "127.0.0.1", port: 1 + (polls.count % 100), weight: 100 },
          ]),
        ),
      );
    });
    engine.bad();
    await using client = createClient(EchoDefinition, {
      target: engine.target,
      pollIntervalMs: 100,
    });
    await client.unary({ text: "first" });
    const errors: unknown[] = [];
    let calls = 0;
    while (polls.count < 20) {
      calls += 1;
      await client.unary({ text: "a" }).catch((error: unknown) => errors.push(error));
    }
    expect(errors).toEqual([]);
    expect(calls).toBeGreaterThan(0);
    // Each of them was the heavy one for half of the polls.
    expect(Math.min(one.seen.length, two.seen.length)).toBeGreaterThan(0);
  });
});
