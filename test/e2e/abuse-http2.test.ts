import { gzipSync } from "node:zlib";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type AbusedHost, SCALE, startAbusedHost, TOKEN } from "../support/abused-host.js";
import {
  callRaw,
  frameOf,
  openSession,
  outcomeOf,
  PREDICT_PATH,
  predictMessage,
  type RawOutcome,
  startCall,
} from "../support/raw-grpc.js";
import {
  connectFrames,
  END_HEADERS,
  END_STREAM,
  frameTypes,
  hpackLiterals,
  http2Frame,
  type RawFrames,
  uint32,
} from "../support/raw-http2.js";

const { data, headers, priority, reset, settings, ping, goaway, windowUpdate, continuation } =
  frameTypes;

let host: AbusedHost;
const opened: RawFrames[] = [];

beforeAll(async () => {
  host = await startAbusedHost({
    requestTimeoutMs: 2_000,
    limits: { bodyTimeoutMs: 1_500, firstByteTimeoutMs: 1_500, idleTimeoutMs: 2_000 },
  });
});

afterEach(() => {
  for (const frames of opened.splice(0)) frames.destroy();
});

async function rogue(): Promise<RawFrames> {
  const frames = await connectFrames(host.port);
  opened.push(frames);
  return frames;
}

type Field = readonly [string, string | Buffer];

/** Header fields of a predict call that lacks nothing. */
function fieldsOf(more: readonly Field[] = [], path: string | Buffer = PREDICT_PATH): Field[] {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "x"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ["authorization", TOKEN],
    ...more,
  ];
}

const head = hpackLiterals(fieldsOf());
const wrongLength = hpackLiterals(fieldsOf([["content-length", "5"]]));
const begin = (id: number, flags = END_HEADERS) => http2Frame(headers, id, head, flags);
const cancel = (id: number, code = 8) => http2Frame(reset, id, uint32(code));
const streamId = (index: number) => 2 * index + 1;

/** Sends `make(0)` to `make(count - 1)` by the thousand until all are sent or the host has closed the connection. */
async function flood(
  frames: RawFrames,
  count: number,
  make: (index: number) => Buffer,
): Promise<void> {
  for (let sent = 0; sent < count && !frames.closed; ) {
    const some: Buffer[] = [];
    for (; some.length < 1_000 && sent < count; sent++) some.push(make(sent));
    await frames.flush(Buffer.concat(some));
  }
  await frames.heard();
}

describe("floods that end the connection", () => {
  const many = 20_000 * SCALE;
  const cases: readonly [string, (frames: RawFrames) => Promise<void>][] = [
    [
      "rapid resets",
      (f) => flood(f, many, (i) => Buffer.concat([begin(streamId(i)), cancel(streamId(i))])),
    ],
    ["SETTINGS", (f) => flood(f, many, () => http2Frame(settings, 0))],
    [
      "DATA frames of no bytes",
      (f) => flood(f, many, (i) => (i === 0 ? begin(1) : http2Frame(data, 1))),
    ],
    [
      "CONTINUATIONs full of headers",
      (f) =>
        flood(f, 5_000 * SCALE, (i) =>
          i === 0
            ? begin(1, 0)
            : http2Frame(continuation, 1, hpackLiterals([[`x-${i}`, "v".repeat(1_000)]])),
        ),
    ],
    [
      "CONTINUATIONs of no bytes",
      (f) => flood(f, many, (i) => (i === 0 ? begin(1, 0) : http2Frame(continuation, 1))),
    ],
    [
      "windows that overflow, stream by stream",
      (f) =>
        flood(f, many, (i) =>
          Buffer.concat([
            begin(streamId(i)),
            http2Frame(windowUpdate, streamId(i), uint32(0x7fffffff)),
          ]),
        ),
    ],
    [
      "windows that grow by nothing, stream by stream",
      (f) =>
        flood(f, many, (i) =>
          Buffer.concat([begin(streamId(i)), http2Frame(windowUpdate, streamId(i), uint32(0))]),
        ),
    ],
  ];
  for (const [name, run] of cases) {
    it(`${name}`, async () => {
      const frames = await rogue();
      await host.abuse(() => run(frames));
      expect([name, frames.closed || frames.goaway !== undefined]).toEqual([name, true]);
    });
  }
});

describe("floods that are put up with", () => {
  const many = 20_000 * SCALE;
  const cases: readonly [string, (index: number) => Buffer][] = [
    ["frames of an unknown type", () => http2Frame(0x42, 0, Buffer.alloc(8))],
    ["PRIORITY", (i) => http2Frame(priority, streamId(i), Buffer.from([0, 0, 0, 0, 1]))],
  ];
  for (const [name, make] of cases) {
    it(`${name}: nothing is kept of them`, async () => {
      const frames = await rogue();
      await host.abuse(() => flood(frames, many, make), { growthMiB: 32 });
    });
  }

  it("PINGs are answered, or the connection ends when nobody reads the answers", async () => {
    const frames = await rogue();
    await host.abuse(() => flood(frames, many, () => http2Frame(ping, 0, Buffer.alloc(8))));
    expect(frames.closed || frames.count(ping) > 0).toBe(true);
  });

  it("calls that contradict their own length are begun and reset as fast as they come", async () => {
    const frames = await rogue();
    const make = (i: number) =>
      Buffer.concat([
        http2Frame(headers, streamId(i), wrongLength, END_HEADERS),
        http2Frame(data, streamId(i), Buffer.alloc(10)),
      ]);
    const run = async (): Promise<void> => {
      for (let sent = 0; sent < 3_000 * SCALE; sent += 500) {
        await flood(frames, 500, (i) => make(sent + i));
      }
    };
    await host.abuse(run, { growthMiB: 96 });
    expect([frames.goaway, frames.resets.length]).toEqual([undefined, 3_000 * SCALE]);
  });

  it("a header table that is referred to thousands of times is refused call by call", async () => {
    const frames = await rogue();
    const remembered = hpackLiterals([["x-bomb", "b".repeat(3_900)]]);
    remembered[0] = 0x40;
    await host.abuse(
      () =>
        flood(frames, 200 * SCALE, (i) =>
          http2Frame(
            headers,
            streamId(i),
            Buffer.concat([head, i === 0 ? remembered : Buffer.alloc(15_000, 0xbe)]),
            END_HEADERS | END_STREAM,
          ),
        ),
      { growthMiB: 64 },
    );
    expect(new Set(frames.resets.slice(1))).toEqual(new Set([11]));
  });
});

describe("misuse of the protocol ends the connection", () => {
  const claims16MB = Buffer.from([0xff, 0xff, 0xff, data, 0, 0, 0, 0, 1]);
  const cases: readonly [string, readonly Buffer[]][] = [
    ["a window of 2^31 for the connection", [http2Frame(windowUpdate, 0, uint32(0x7fffffff))]],
    ["a window that grows by nothing", [http2Frame(windowUpdate, 0, uint32(0))]],
    ["a stream with an even number", [begin(2)]],
    ["headers on stream 0", [begin(0)]],
    ["data on a stream that was never opened", [http2Frame(data, 9, Buffer.alloc(1))]],
    ["a call, then data on a stream that was never opened", [begin(1), http2Frame(data, 9)]],
    ["a reset of a stream that was never opened", [cancel(9)]],
    ["data behind the end of a call", [begin(1, 5), http2Frame(data, 1, Buffer.alloc(1))]],
    ["a CONTINUATION of nothing", [http2Frame(continuation, 1, Buffer.alloc(1), END_HEADERS)]],
    ["a frame between headers and their CONTINUATION", [begin(1, 0), http2Frame(ping, 0)]],
    ["a PUSH_PROMISE", [http2Frame(5, 1, uint32(2), END_HEADERS)]],
    ["a frame over the size that was agreed", [http2Frame(data, 1, Buffer.alloc(20_000))]],
    ["a frame that claims 16 MB", [claims16MB]],
    ["padding longer than its frame", [begin(1), http2Frame(data, 1, Buffer.from([255, 1]), 8)]],
    ["headers that are not HPACK", [http2Frame(headers, 1, Buffer.alloc(5, 0xff), 5)]],
    ["a setting out of range", [http2Frame(settings, 0, Buffer.from([0, 4, 255, 255, 255, 255]))]],
    [
      "a stream that depends on itself",
      [begin(1), http2Frame(priority, 1, Buffer.from([0, 0, 0, 1, 1]))],
    ],
    [
      "GOAWAY with an error",
      [begin(1), http2Frame(goaway, 0, Buffer.concat([uint32(0), uint32(2)]))],
    ],
  ];
  for (const [name, bytes] of cases) {
    it(name, async () => {
      const frames = await rogue();
      await host.abuse(async () => {
        frames.write(Buffer.concat(bytes));
        await frames.heard();
      });
      expect(frames.closed || frames.goaway !== undefined).toBe(true);
    });
  }
});

describe("connections that are of no use any more", () => {
  it("are let go of, also when their callers never close them", async () => {
    const openings: readonly (readonly Buffer[])[] = [
      [begin(1), http2Frame(data, 9, Buffer.alloc(1))],
      [http2Frame(data, 9, Buffer.alloc(1))],
      Array.from({ length: 1_500 }, (_, i) => [begin(streamId(i)), cancel(streamId(i))]).flat(),
      [begin(1, 0)],
      [begin(1), http2Frame(goaway, 0, Buffer.alloc(8))],
      [
        http2Frame(settings, 0, Buffer.from([0, 4, 0, 0, 0, 0])),
        begin(1),
        http2Frame(data, 1, Buffer.alloc(5), 1),
      ],
      [],
    ];
    await host.abuse(async () => {
      for (const bytes of openings) (await rogue()).write(Buffer.concat(bytes));
      const abandoned = await rogue();
      abandoned.write(Buffer.concat([begin(1), http2Frame(data, 9, Buffer.alloc(1))]));
      await abandoned.heard();
      abandoned.destroy();
    });
    await host.alone();
  });

  it("are let go of when their headers drip in for ever", async () => {
    const frames = await rogue();
    frames.write(http2Frame(headers, 1, Buffer.alloc(10_000)).subarray(0, 9));
    while (!frames.closed) {
      await frames.flush(Buffer.from([0]));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await host.alone();
  });
});

/** The status of a call, with a text that tells a caller what is wrong and nothing of the host's inside. */
function expectRefusal(outcome: RawOutcome, status: number, text: string): void {
  expect([outcome.status, outcome.message]).toEqual([status, expect.stringContaining(text)]);
  expect(outcome.message).not.toMatch(/\.[jt]s\b|node:|node_modules|\n|\bat [A-Z]|ERR_|HPE_/);
  expect(outcome.message).not.toContain(TOKEN);
}

const whole = frameOf(predictMessage("x"));
const authorized = { authorization: TOKEN };

describe("messages", () => {
  it("that claim 2 GB are refused at their first bytes", async () => {
    const frame = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]);
    const outcome = await host.abuse(() => callRaw(host.port, frame, authorized), {
      growthMiB: 32,
    });
    expectRefusal(outcome, 8, "larger");
  });

  it("that inflate from 1 MB to 1 GB are refused, within twice the limit of a message", async () => {
    const megabyte = gzipSync(Buffer.alloc(2 ** 20));
    // Members of gzip one behind the other inflate to one text.
    const bomb = Buffer.concat(Array.from({ length: 1_000 }, () => megabyte));
    const outcome = await host.abuse(
      () => callRaw(host.port, frameOf(bomb, 1), { ...authorized, "grpc-encoding": "gzip" }),
      { growthMiB: 160 },
    );
    expectRefusal(outcome, 8, "67108864");
  });

  it("that are no gzip, or are cut short, are refused", async () => {
    const encoding = { ...authorized, "grpc-encoding": "gzip" };
    for (const bytes of [Buffer.from("junk"), gzipSync(Buffer.alloc(1_000)).subarray(0, 12)]) {
      const outcome = await host.abuse(() => callRaw(host.port, frameOf(bytes, 1), encoding));
      expectRefusal(outcome, 13, "decompress");
    }
  });

  it("in an encoding that is not known are refused", async () => {
    for (const encoding of ["br", "__proto__"]) {
      const headers = { ...authorized, "grpc-encoding": encoding };
      const outcome = await host.abuse(() => callRaw(host.port, frameOf(whole, 1), headers));
      expectRefusal(outcome, 12, encoding);
    }
  });

  it("of a caller without a token are never inflated", async () => {
    const bomb = gzipSync(Buffer.alloc(2 ** 26));
    const outcome = await host.abuse(
      () => callRaw(host.port, frameOf(bomb, 1), { "grpc-encoding": "gzip" }),
      { growthMiB: 32 },
    );
    expectRefusal(outcome, 16, "no authorization");
  });
});

describe("what grpc-js lets through", () => {
  it("reads a time out of junk, and refuses only what has none", async () => {
    for (const value of ["-5S", "9999999999S", "5S; more", "99999999H"]) {
      const headers = { ...authorized, "grpc-timeout": value };
      const outcome = await host.abuse(() => callRaw(host.port, whole, headers));
      expect([value, [0, 4].includes(outcome.status)]).toEqual([value, true]);
    }
    for (const value of ["5", "abc", "5X"]) {
      const headers = { ...authorized, "grpc-timeout": value };
      const outcome = await host.abuse(() => callRaw(host.port, whole, headers));
      expectRefusal(outcome, 13, `"${value}"`);
    }
  });

  it("drops a header it cannot take, and says nothing of it", async () => {
    const values = [Buffer.from([0xff, 0xfe]), `Bearer\t${TOKEN}`, Buffer.from([0x61, 1, 0x62])];
    for (const value of values) {
      const frames = await rogue();
      await host.abuse(
        async () => {
          const fields = fieldsOf([["x-junk", value]]);
          frames.write(http2Frame(headers, 1, hpackLiterals(fields), END_HEADERS));
          frames.write(http2Frame(data, 1, whole, END_STREAM));
          await frames.heard();
        },
        { lines: 0 },
      );
      expect([frames.goaway, frames.resets]).toEqual([undefined, []]);
    }
  });

  it("does not write a token that no header can carry into the log", async () => {
    const headers = { authorization: `Bearer\t${TOKEN}` };
    const outcome = await host.abuse(() => callRaw(host.port, whole, headers), { lines: 0 });
    expectRefusal(outcome, 16, "no authorization");
  });

  it("takes what it can of bytes that are no base64", async () => {
    const headers = { ...authorized, "x-junk-bin": "!!! no base64 ***" };
    expect((await host.abuse(() => callRaw(host.port, whole, headers))).status).toBe(0);
  });

  it("answers UNIMPLEMENTED with the whole path, whatever is in it", async () => {
    for (const path of ["/../../etc/passwd", "/%00", `/${"p".repeat(5_000)}`, "/__proto__/x"]) {
      const headers = { ...authorized, ":path": path };
      const outcome = await host.abuse(() => callRaw(host.port, whole, headers));
      expect([outcome.status, outcome.message.length < path.length + 100]).toEqual([12, true]);
    }
  });
});

describe("headers", () => {
  const cases: readonly [string, readonly Field[]][] = [
    ["more than Node takes", fieldsOf(Array.from({ length: 200 }, (_, i) => [`x-${i}`, "v"]))],
    ["a path with NUL", fieldsOf([], Buffer.from("/a\0b"))],
    ["no path", fieldsOf([], "")],
    ["two paths", [[":path", "/a"], ...fieldsOf()]],
    ["a name in capitals", fieldsOf([["X-Junk", "v"]])],
    ["a header of a connection", fieldsOf([["connection", "close"]])],
  ];
  for (const [name, fields] of cases) {
    it(`with ${name} are answered with a reset`, async () => {
      const frames = await rogue();
      await host.abuse(async () => {
        frames.write(http2Frame(headers, 1, hpackLiterals(fields), END_HEADERS));
        await frames.heard();
      });
      expect(frames.resets).toHaveLength(1);
    });
  }

  it("over the limit are refused by their size", async () => {
    const large = { ...authorized, "x-large": "v".repeat(20_000) };
    const outcome = await host.abuse(() => callRaw(host.port, whole, large));
    expectRefusal(outcome, 8, "16384");
  });
});

// Behind all other tests: what was inflated for nothing is given back only after a while.
describe("what grpc-js lets through, in memory", () => {
  it("inflates messages of many calls at a time, each up to the limit", async () => {
    const calls = 4;
    const bomb = frameOf(gzipSync(Buffer.alloc(2 ** 26 - 1)), 1);
    const outcomes = await host.abuse(
      async () => {
        const session = openSession(host.port);
        const encoding = { ...authorized, "grpc-encoding": "gzip" };
        const ended = Array.from({ length: calls }, () => {
          const stream = startCall(session, encoding);
          stream.end(bomb);
          return outcomeOf(stream);
        });
        const all = await Promise.all(ended);
        session.destroy();
        return all;
      },
      { growthMiB: 2.5 * calls * 64 },
    );
    for (const { status } of outcomes) expect([0, 4]).toContain(status);
  }, 30_000);
});

describe("in the end", () => {
  it("the host stops in order, with connections of no use still there", async () => {
    const abandoned = await rogue();
    abandoned.write(Buffer.concat([begin(1), http2Frame(data, 9, Buffer.alloc(1))]));
    await abandoned.heard();
    host.program.child.kill("SIGTERM");
    expect(await host.program.exited).toBe(0);
    expect(host.program.output()).not.toContain(TOKEN);
  });
});
