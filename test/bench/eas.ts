import { createServer } from "node:http";
import { ENDPOINT_TYPE_DIRECT, PredictClient, StringRequest, TFRequest } from "inferwire/eas";
import { Pool } from "undici";
import { built } from "../support/built-kit.js";
import { median, spread } from "../support/figures.js";
import { defaultPoolPolicy } from "../support/pool-policy.js";
import { startChild } from "./child.js";
import { BENCH_TOKEN, PAYLOAD_BYTES, SCORES, type ServerKind } from "./protocol.js";

const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 9);
const CALLS = 6_000;
const IN_FLIGHT = 16;
const SERVICE = "echo";
const PATH = `/api/predict/${SERVICE}`;
const headers = { authorization: BENCH_TOKEN, "content-type": "application/octet-stream" };
const text = "7".repeat(PAYLOAD_BYTES);
const picture = Float32Array.from({ length: 784 }, (_, index) => (index % 251) / 250);
const silent = { debug() {}, info() {}, warn() {}, error() {} };

const { ChannelCore } =
  await built<typeof import("../../src/client/channel-core.js")>("client/channel-core.js");
const { channelDefaults } = await built<typeof import("../../src/client/client-options.js")>(
  "client/client-options.js",
);
const { callOverHttp } =
  await built<typeof import("../../src/client/http-call.js")>("client/http-call.js");
const { systemClock } = await built<typeof import("../../src/core/ports.js")>("core/ports.js");
const { instanceOf } = await built<typeof import("../../src/core/instance.js")>("core/instance.js");
const { createStaticSource } = await built<typeof import("../../src/resolve/static-source.js")>(
  "resolve/static-source.js",
);
const { createHttpTransport } = await built<typeof import("../../src/transport/http-transport.js")>(
  "transport/http-transport.js",
);

function checkLength(length: number, expected: number): void {
  if (length !== expected) throw new Error(`an answer of ${length}, expected ${expected}`);
}

interface Contender {
  readonly name: string;
  /** Highest CPU time of a call over bare undici's, where there is such a bar. */
  readonly bar?: number;
  /** Makes one call, and reads its answer. */
  readonly call: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Two pools of undici's, one after the other. */
function bareUndici(ports: readonly number[], body: Uint8Array): Contender {
  const pools = ports.map((port) => new Pool(`http://127.0.0.1:${port}`));
  let next = 0;
  return {
    name: "undici",
    async call() {
      const pool = pools[next++ % pools.length];
      if (pool === undefined) throw new Error("no pool");
      const answer = await pool.request({ path: PATH, method: "POST", headers, body });
      const { length } = await answer.body.bytes();
      if (answer.statusCode !== 200 || length === 0)
        throw new Error(`${answer.statusCode}: ${length}`);
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}

/** The same through picker, policy and transport. */
function callsOverHttp(ports: readonly number[], body: Uint8Array): Contender {
  const instances = ports.map((port) => instanceOf({ host: "127.0.0.1", port }));
  const clock = systemClock;
  const transport = { tls: undefined, maxMessageBytes: 2 ** 26, connectTimeoutMs: 2_000, clock };
  const core = new ChannelCore({
    clock,
    logger: silent,
    random: Math.random,
    source: createStaticSource({ service: SERVICE, instances }, { clock, logger: silent }),
    policy: { ...channelDefaults, token: undefined, pool: defaultPoolPolicy },
    createTransport: (instance) => createHttpTransport(instance, transport),
  });
  return {
    name: "callOverHttp",
    async call() {
      const answer = await callOverHttp(core, { path: PATH, headers, body });
      checkLength(answer.body.length, body.length);
    },
    close: () => core.close(),
  };
}

/** Answers with the list of these instances, as EAS's discovery does. */
async function startList(ports: readonly number[]) {
  const items = ports.map((port) => ({ app: SERVICE, ip: "127.0.0.1", port, weight: 1 }));
  const list = JSON.stringify({ correlative: [SERVICE], endpoints: { items } });
  const server = createServer((_, response) => response.end(list));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  return { endpoint: `http://127.0.0.1:${port}`, stop: () => server.close() };
}

function clientOf(endpoint: string): PredictClient {
  return new PredictClient(endpoint, SERVICE, {
    endpointType: ENDPOINT_TYPE_DIRECT,
    token: BENCH_TOKEN,
  });
}

function textCalls(endpoint: string): Contender {
  const client = clientOf(endpoint);
  return {
    name: "PredictClient",
    bar: 1.5,
    async call() {
      const { responseData } = await client.predict(new StringRequest(text));
      checkLength(responseData.length, text.length);
    },
    close: () => client.close(),
  };
}

function pictureRequest(): TFRequest {
  const request = new TFRequest("predict_images");
  request.addFeed("images", [1, picture.length], TFRequest.DT_FLOAT, picture);
  request.addFetch("scores");
  return request;
}

/** Makes a request for each call, and reads the scores. */
function pictureCalls(endpoint: string): Contender {
  const client = clientOf(endpoint);
  return {
    name: "PredictClient",
    async call() {
      const answer = await client.predict(pictureRequest());
      checkLength(answer.getValues("scores", TFRequest.DT_FLOAT).length, SCORES);
    },
    close: () => client.close(),
  };
}

interface Figures {
  readonly cpuUs: number;
  readonly perSecond: number;
}

async function round({ call }: Contender): Promise<Figures> {
  let left = CALLS;
  const loop = async (): Promise<void> => {
    while (left-- > 0) {
      await call();
    }
  };
  const cpu = process.cpuUsage();
  const started = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  const seconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { cpuUs: (user + system) / CALLS, perSecond: CALLS / seconds };
}

type MakeContenders = (ports: readonly number[], endpoint: string) => readonly Contender[];

/** The first one is what the others are compared with. */
const comparisons: readonly (readonly [string, ServerKind, MakeContenders])[] = [
  [
    "1 KiB each way",
    "node-http",
    (ports, endpoint) => {
      const body = new TextEncoder().encode(text);
      return [bareUndici(ports, body), callsOverHttp(ports, body), textCalls(endpoint)];
    },
  ],
  [
    `TensorFlow request of [1,${picture.length}], answer of [1,${SCORES}]`,
    "node-scores",
    (ports, endpoint) => [bareUndici(ports, pictureRequest().encode()), pictureCalls(endpoint)],
  ],
];

/** Rounds in which the contenders alternate, each round beginning with another. */
async function measure(contenders: readonly Contender[]): Promise<readonly Figures[][]> {
  const figures = contenders.map((): Figures[] => []);
  for (let n = -2; n < ROUNDS; n++) {
    for (const index of contenders.keys()) {
      const turn = (index + n + 2) % contenders.length;
      const contender = contenders[turn];
      if (contender === undefined) continue;
      const result = await round(contender);
      if (n >= 0) figures[turn]?.push(result);
    }
  }
  return figures;
}

/** Compares POSTs over two instances through bare undici and through this kit: of the same bytes, in alternating rounds. */
export async function benchEas(print: (line: string) => void): Promise<void> {
  for (const [what, kind, make] of comparisons) {
    const servers = [1, 2].map(() => startChild("server-child.ts", [kind], 0));
    const started = await Promise.all(servers.map((server) => server.receive<{ port: number }>()));
    const ports = started.map(({ port }) => port);
    const list = await startList(ports);
    const contenders = make(ports, list.endpoint);
    const figures = await measure(contenders);
    await Promise.all(contenders.map(({ close }) => close()));
    list.stop();
    for (const server of servers) server.stop();
    print(`POST over two instances, ${what}, ${IN_FLIGHT} in flight, ${ROUNDS} rounds of ${CALLS}`);
    const bare = figures[0] ?? [];
    for (const [index, { name, bar }] of contenders.entries()) {
      const own = figures[index] ?? [];
      const cpu = spread(own.map(({ cpuUs }) => cpuUs));
      const rate = median(own.map(({ perSecond }) => perSecond)).toFixed(0);
      const ratios = own.map(({ cpuUs }, n) => cpuUs / (bare[n]?.cpuUs ?? Number.NaN));
      print(
        `${name.padEnd(13)} ${cpu} us CPU a call, ${rate} calls/s, ${spread(ratios, 3)} x undici` +
          `${bar === undefined ? "" : `   bar at most ${bar} x`}`,
      );
    }
  }
}
