/**
 * One server under measurement, in a process of its own: `server-child.ts KIND`. Tells its port, and its CPU time
 * whenever it is asked.
 */
import { createServer } from "node:http";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { BaseProcessor, type HostOptions, implement } from "inferwire/host";
import {
  PredictRequest,
  PredictResponse,
  PredictServiceDefinition,
  type PredictStreamResponse,
} from "inferwire/proto";
import { tensor } from "inferwire/tensor";
import { createServer as createNiceServer } from "nice-grpc";
import { pino } from "pino";
import { built } from "../support/built-kit.js";
import { BENCH_TOKEN, SCORES, type ServerKind } from "./protocol.js";
import { EchoServiceDefinition } from "./typed-service.js";

class Echo extends BaseProcessor {
  process(data: Uint8Array): Uint8Array {
    return data;
  }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

async function startHosted(options: HostOptions = { logger: silent }): Promise<number> {
  const host = await new Echo({
    endpoint: "127.0.0.1:0",
    token: BENCH_TOKEN,
    ...options,
  }).start();
  return host.address.port;
}

async function startTyped(): Promise<number> {
  const echo = implement(
    EchoServiceDefinition,
    { echoBytes: async ({ data }) => ({ data }), echoText: async ({ path }) => ({ path }) },
    { endpoint: "127.0.0.1:0", token: BENCH_TOKEN, logger: silent },
  );
  return (await echo.start()).address.port;
}

/** A host that writes its lines, one for a hundredth of all calls, and whose metrics are read with every round. */
function startSeen(): Promise<number> {
  const logger = pino({ level: "info" }, pino.destination("/dev/null"));
  return startHosted({ logger, callLogRatio: 0.01, open: ["metrics"] });
}

/** A host that counts nothing; there is no option for that. */
async function startUnseen(): Promise<number> {
  const file = new URL("../../dist/src/host/call-metrics.js", import.meta.url).href;
  const { createCallMetrics } = (await import(
    file
  )) as typeof import("../../src/host/call-metrics.js");
  const nothing = { started() {}, received() {}, sent() {}, ended() {} };
  const prototype: unknown = Object.getPrototypeOf(
    createCallMetrics({ now: () => 0, after: () => () => {} }),
  );
  Object.assign(prototype as object, { series: () => nothing, queued() {}, ran() {} });
  return startHosted();
}

function startGrpcJs(): Promise<number> {
  const server = new Server({ "grpc.enable_channelz": 0 });
  server.register(
    "/inferwire.predict.v1.PredictService/Predict",
    (call: { request: PredictRequest }, done: (error: null, answer: PredictResponse) => void) =>
      done(null, { data: call.request.data, status: 0 }),
    (answer: PredictResponse) => Buffer.from(PredictResponse.encode(answer).finish()),
    (bytes: Buffer) => PredictRequest.decode(bytes),
    "unary",
  );
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

async function startNiceGrpc(): Promise<number> {
  const server = createNiceServer({ "grpc.enable_channelz": 0 });
  server.add(PredictServiceDefinition, {
    predict: async (request: PredictRequest) => ({ data: request.data, status: 0 }),
    async *predictStream(): AsyncIterable<PredictStreamResponse> {},
  });
  return server.listen("127.0.0.1:0");
}

/** Echoes, or answers always the same. */
function startHttp(always?: Uint8Array): Promise<number> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = always ?? Buffer.concat(chunks);
      response.writeHead(200, {
        "content-type": "application/octet-stream",
        "content-length": body.length,
      });
      response.end(body);
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const bound = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
    });
  });
}

async function startScores(): Promise<number> {
  const { dialectOf } =
    await built<typeof import("../../src/tensor/dialect-of.js")>("tensor/dialect-of.js");
  const scores = tensor("float32", [1, SCORES], new Float32Array(SCORES).fill(0.1));
  return startHttp(dialectOf("tensorflow").encodeResponse(new Map([["scores", scores]]), []));
}

const starts: Readonly<Record<ServerKind, () => Promise<number>>> = {
  "grpc-js": startGrpcJs,
  "nice-grpc": startNiceGrpc,
  "host-grpc": () => startHosted(),
  "host-eas": () => startHosted(),
  "host-seen": startSeen,
  "host-unseen": startUnseen,
  "host-typed": startTyped,
  "host-text": startTyped,
  "node-http": () => startHttp(),
  "node-scores": startScores,
};

const kind = process.argv[2] as ServerKind;
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system });
});
process.once("SIGINT", () => process.exit(0));
process.send?.({ port: await starts[kind]() });
