// A processor for tests of lanes: what it does is said by the path of a call.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { ServerError } from "inferwire/host";

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const bytes = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

const seen = { told: [], pieces: 0, stopped: false, aborted: undefined, started: [], disposed: 0 };
let ready = true;

function block(ms) {
  for (const end = performance.now() + ms; performance.now() < end; );
}

function untilAborted(signal) {
  return new Promise((_, reject) => {
    const abort = () => {
      const { reason } = signal;
      seen.aborted = { reason: reason.reason, message: reason.message, code: reason.code };
      reject(reason);
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

async function* count(to) {
  try {
    for (seen.pieces = 0; seen.pieces < to; ) yield bytes(String(seen.pieces++));
  } finally {
    seen.stopped = true;
  }
}

async function* countWithHeads(call) {
  call.header.set("first", "set before the first piece");
  yield bytes("a");
  call.trailer.set("last", "set after the last piece");
}

async function* failing() {
  yield bytes("a");
  throw new ServerError(9, "no more");
}

const answers = {
  echo: (data) => data,
  status: (data) => [data, 207],
  context: (_, __, context) =>
    bytes({
      lane: context.lane,
      service: context.service,
      modelPath: context.modelPath,
      modelConfig: context.modelConfig,
      properties: [...context.properties],
      argv: process.argv.slice(1),
      env: process.env.TEST_LANE,
    }),
  call: (_, call) => {
    call.header.set("seen", call.metadata.get("a"));
    call.trailer.set("b-bin", Buffer.from([0, 255]));
    const { door, method, path, peer, query } = call;
    return bytes({
      door,
      method,
      path,
      peer,
      query: query.get("q"),
      all: call.metadata.getAll("a"),
      bytes: [...call.metadata.get("x-bin")],
      remainingMs: call.remainingMs(),
    });
  },
  seen: () => bytes(seen),
  wait: async (data) => {
    seen.started.push(String(data));
    await wait(300);
    return data;
  },
  start: (data) => {
    seen.started.push(String(data));
    return data;
  },
  block: (data) => {
    block(Number(String(data)));
    return data;
  },
  // Computes until a file is there.
  hold: (data) => {
    while (!existsSync(String(data)));
    return data;
  },
  "later-block": (data) => {
    setTimeout(() => block(Number(String(data))), 10);
    return data;
  },
  abort: (_, call) => untilAborted(call.signal),
  throw: () => {
    throw new Error("a secret");
  },
  deliberate: (_, call) => {
    call.trailer.set("why", "because");
    call.trailer.set("why-bin", Buffer.from([1, 2]));
    throw new ServerError(5, "no such digit");
  },
  wrong: () => 5,
  pieces: (data) => count(Number(String(data))),
  heads: (_, call) => countWithHeads(call),
  failing: () => failing(),
  ready: (data) => {
    ready = String(data) === "yes";
    return data;
  },
  log: (_, call) => {
    call.logger.warn({ err: new TypeError("odd"), depth: 3 }, "from the lane");
    return bytes("");
  },
  exit: (data) => process.exit(Number(String(data))),
  loop: () => {
    for (;;);
  },
  reject: () => {
    void Promise.reject(new Error("nobody catches this"));
    return new Promise(() => {});
  },
  memory: () => {
    const kept = [];
    for (;;) kept.push(new Array(100_000).fill(kept.length));
  },
  modules: () => bytes(Object.keys(createRequire(import.meta.url).cache)),
};

const text = (data) => String(Buffer.from(data));
const rpc = (name, requestStream, responseStream, handler) => ({
  path: `/test.Streams/${name}`,
  requestStream,
  responseStream,
  idempotencyLevel: undefined,
  decodeRequest: text,
  encodeResponse: bytes,
  handler,
});

// biome-ignore lint/style/noDefaultExport: one of the ways in which a module says what its processor is
export default class {
  #context;

  rpcs = [
    rpc("Unary", false, false, async (message) => message.toUpperCase()),
    rpc("Join", true, false, async (messages) => {
      let joined = "";
      for await (const message of messages) joined += message;
      return joined;
    }),
    rpc("First", true, false, async (messages) => {
      for await (const message of messages) return message;
    }),
    rpc("Wait", true, false, async (_, call) => {
      await untilAborted(call.signal);
    }),
    rpc("Split", false, true, async function* (message) {
      yield* message.split("");
    }),
    rpc("Echo", true, true, async function* (messages) {
      for await (const message of messages) yield message.toUpperCase();
    }),
  ];

  async initialize(context) {
    if (context.modelPath === "broken") throw new RangeError("no model there");
    if (context.modelPath === "hang") await new Promise(() => {});
    this.#context = context;
  }

  isReady(signal) {
    if (!(signal instanceof AbortSignal)) throw new Error("no signal");
    return ready;
  }

  onTell(message) {
    seen.told.push(text(message));
  }

  async dispose() {
    this.#context.logger.info({}, "disposed");
  }

  process(data, call) {
    const answer = answers[call.path];
    if (answer === undefined) throw new Error(`no answer is called ${call.path}`);
    return answer(Buffer.from(data), call, this.#context);
  }
}
