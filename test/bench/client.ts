import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { createChannel, createClient as createNiceClient } from "nice-grpc";
import {
  PredictRequest,
  PredictResponse,
  PredictServiceDefinition,
} from "../../gen/inferwire/predict/v1/predict.js";
import { createClient } from "../../src/client/index.js";

const PATH = "/inferwire.predict.v1.PredictService/Predict";
const ROUNDS = 9;
const CALLS = 4_000;
const IN_FLIGHT = 16;
const request: PredictRequest = { service: "", path: "", data: new Uint8Array(1024).fill(7) };

const encodeRequest = (message: PredictRequest): Buffer =>
  Buffer.from(PredictRequest.encode(message).finish());
const encodeResponse = (message: PredictResponse): Buffer =>
  Buffer.from(PredictResponse.encode(message).finish());

/** The other side, in a process of its own: three ports that echo. */
async function serve(): Promise<void> {
  const predict = {
    path: PATH,
    requestStream: false as const,
    responseStream: false as const,
    requestSerialize: encodeRequest,
    requestDeserialize: (bytes: Buffer) => PredictRequest.decode(bytes),
    responseSerialize: encodeResponse,
    responseDeserialize: (bytes: Buffer) => PredictResponse.decode(bytes),
  };
  const ports: number[] = [];
  for (let i = 0; i < 3; i++) {
    const server = new Server({ "grpc.enable_channelz": 0 });
    server.addService(
      { predict },
      {
        predict: (
          call: { request: PredictRequest },
          done: (error: null, answer: PredictResponse) => void,
        ) => done(null, { data: call.request.data, status: 0 }),
      },
    );
    await new Promise<void>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
        ports.push(port);
        if (error === null) resolve();
        else reject(error);
      });
    });
  }
  process.stdout.write(`${ports.join(",")}\n`);
  process.stdin.on("end", () => process.exit()).resume();
}

function hasTaskset(): boolean {
  try {
    execFileSync("taskset", ["-apc", "1", String(process.pid)], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function startServer(pinned: boolean): Promise<{ child: ChildProcess; ports: string[] }> {
  const self = [...process.execArgv, fileURLToPath(import.meta.url), "--serve"];
  const [command, args] = pinned
    ? ["taskset", ["-c", "0", process.execPath, ...self]]
    : [process.execPath, self];
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const [line]: unknown[] = await once(child.stdout, "data");
  return { child, ports: String(line).trim().split(",") };
}

interface Contender {
  readonly name: string;
  readonly call: () => Promise<unknown>;
}

interface Figures {
  readonly cpuUs: number;
  readonly perSecond: number;
}

async function round({ call }: Contender): Promise<Figures> {
  let left = CALLS;
  const loop = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  const cpu = process.cpuUsage();
  const started = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  const seconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { cpuUs: (user + system) / CALLS, perSecond: CALLS / seconds };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/**
 * Compares one unary call of 1 KiB through grpc-js, nice-grpc and this client, in alternating rounds.
 *
 * @returns CPU of this client over CPU of nice-grpc, the median of the rounds.
 */
export async function benchClient(print: (line: string) => void): Promise<number> {
  const pinned = hasTaskset();
  const { child, ports } = await startServer(pinned);
  const address = `127.0.0.1:${ports[0]}`;
  const bare = new Client(address, credentials.createInsecure());
  const channel = createChannel(address);
  const nice = createNiceClient(PredictServiceDefinition, channel);
  const target = ports.map((port) => `127.0.0.1:${port}`).join(",");
  const ours = createClient(PredictServiceDefinition, { target });
  const contenders: readonly Contender[] = [
    {
      name: "grpc-js",
      call: () =>
        new Promise((resolve, reject) => {
          bare.makeUnaryRequest(
            PATH,
            encodeRequest,
            (bytes) => PredictResponse.decode(bytes),
            request,
            (error, answer) => (error === null ? resolve(answer) : reject(error)),
          );
        }),
    },
    { name: "nice-grpc", call: () => nice.predict(request) },
    { name: "inferwire", call: () => ours.predict(request) },
  ];
  const figures = contenders.map((): Figures[] => []);
  for (let n = -2; n < ROUNDS; n++) {
    for (const index of contenders.keys()) {
      const contender = contenders[(index + n + 3) % 3];
      if (contender === undefined) continue;
      const result = await round(contender);
      if (n >= 0) figures[contenders.indexOf(contender)]?.push(result);
    }
  }
  await ours[Symbol.asyncDispose]();
  channel.close();
  bare.close();
  child.stdin?.end();
  print(
    `unary, 1 KiB each way, ${IN_FLIGHT} in flight, ${ROUNDS} rounds of ${CALLS}, ${pinned ? "client and server on a core each" : "not pinned"}`,
  );
  const nicely = figures[1] ?? [];
  for (const [index, { name }] of contenders.entries()) {
    const own = figures[index] ?? [];
    const cpu = median(own.map(({ cpuUs }) => cpuUs));
    const rate = median(own.map(({ perSecond }) => perSecond));
    const ratio = median(own.map(({ cpuUs }, n) => cpuUs / (nicely[n]?.cpuUs ?? Number.NaN)));
    print(
      `${name.padEnd(10)} ${cpu.toFixed(1).padStart(7)} us CPU a call, ${rate.toFixed(0).padStart(6)} calls/s, ${ratio.toFixed(3)} x nice-grpc`,
    );
  }
  return median((figures[2] ?? []).map(({ cpuUs }, n) => cpuUs / (nicely[n]?.cpuUs ?? Number.NaN)));
}

if (process.argv.includes("--serve")) await serve();
else if (process.argv[1] === fileURLToPath(import.meta.url)) await benchClient(console.log);
