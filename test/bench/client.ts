import { Client, credentials } from "@grpc/grpc-js";
import { createChannel, createClient as createNiceClient } from "nice-grpc";
import {
  PredictRequest,
  PredictResponse,
  PredictServiceDefinition,
} from "../../gen/inferwire/predict/v1/predict.js";
import { createClient } from "../../src/client/index.js";
import { median } from "../support/figures.js";
import { startPredictServers } from "../support/predict-servers.js";

const PATH = "/inferwire.predict.v1.PredictService/Predict";
const IN_FLIGHT = 16;

/** What every call sends: 1 KiB. */
export const request: PredictRequest = {
  service: "",
  path: "",
  data: new Uint8Array(1024).fill(7),
};

/** How many rounds of how many calls. */
export interface ClientRounds {
  readonly rounds: number;
  readonly calls: number;
}

const full: ClientRounds = { rounds: 9, calls: 4_000 };

/** A client under test. */
export interface Contender {
  readonly name: string;
  readonly call: () => Promise<unknown>;
  readonly close: () => unknown;
}

/** Medians over the rounds of one contender. */
export interface ContenderFigures {
  readonly name: string;
  readonly cpuUs: number;
  readonly perSecond: number;
  /** CPU over that of the contender that all are compared with, round by round. */
  readonly ratio: number;
}

interface Round {
  readonly cpuUs: number;
  readonly perSecond: number;
}

async function round({ call }: Contender, calls: number): Promise<Round> {
  let left = calls;
  const loop = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  const cpu = process.cpuUsage();
  const started = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  const seconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { cpuUs: (user + system) / calls, perSecond: calls / seconds };
}

/** grpc-js's own client. */
export function grpcJsContender(address: string): Contender {
  const bare = new Client(address, credentials.createInsecure());
  return {
    name: "grpc-js",
    call: () =>
      new Promise((resolve, reject) => {
        bare.makeUnaryRequest(
          PATH,
          (message: PredictRequest) => Buffer.from(PredictRequest.encode(message).finish()),
          (bytes) => PredictResponse.decode(bytes),
          request,
          (error, answer) => (error === null ? resolve(answer) : reject(error)),
        );
      }),
    close: () => bare.close(),
  };
}

/** A bare nice-grpc client. */
export function niceContender(address: string): Contender {
  const channel = createChannel(address);
  const nice = createNiceClient(PredictServiceDefinition, channel);
  return { name: "nice-grpc", call: () => nice.predict(request), close: () => channel.close() };
}

/**
 * Compares one unary call of 1 KiB through several clients, in alternating rounds, over three servers in a process of their own.
 *
 * @param contendersOf - makes them; addresses are `host:port` of the servers
 * @param base - name of the one that all are compared with
 */
export async function compareClients(
  contendersOf: (addresses: readonly string[]) => readonly Contender[],
  base: string,
  { rounds, calls }: ClientRounds,
  print: (line: string) => void,
): Promise<readonly ContenderFigures[]> {
  using servers = await startPredictServers({ address: "127.0.0.1", count: 3, pin: true });
  const contenders = contendersOf(servers.ports.map((port) => `127.0.0.1:${port}`));
  const figures = contenders.map((contender) => ({ contender, rounds: [] as Round[] }));
  for (let n = -2; n < rounds; n++) {
    for (const at of figures.keys()) {
      const figure = figures[(at + n + 2) % figures.length];
      if (figure === undefined) continue;
      const result = await round(figure.contender, calls);
      if (n >= 0) figure.rounds.push(result);
    }
  }
  for (const { close } of contenders) await close();
  print(
    `unary, 1 KiB each way, ${IN_FLIGHT} in flight, ${rounds} rounds of ${calls}, ${servers.pinned ? "client and server on a core each" : "not pinned"}`,
  );
  const compared = figures.find(({ contender }) => contender.name === base)?.rounds ?? [];
  return figures.map(({ contender: { name }, rounds: own }) => {
    const cpuUs = median(own.map((each) => each.cpuUs));
    const perSecond = median(own.map((each) => each.perSecond));
    const ratio = median(own.map((each, n) => each.cpuUs / (compared[n]?.cpuUs ?? Number.NaN)));
    print(
      `${name.padEnd(10)} ${cpuUs.toFixed(1).padStart(7)} us CPU a call, ${perSecond.toFixed(0).padStart(6)} calls/s, ${ratio.toFixed(3)} x ${base}`,
    );
    return { name, cpuUs, perSecond, ratio };
  });
}

/**
 * Compares grpc-js, nice-grpc and this client.
 *
 * @returns CPU of this client over CPU of nice-grpc, the median of the rounds.
 */
export async function benchClient(print: (line: string) => void): Promise<number> {
  const contendersOf = (addresses: readonly string[]): readonly Contender[] => {
    const [address = ""] = addresses;
    const ours = createClient(PredictServiceDefinition, { target: addresses.join(",") });
    return [
      grpcJsContender(address),
      niceContender(address),
      {
        name: "inferwire",
        call: () => ours.predict(request),
        close: () => ours[Symbol.asyncDispose](),
      },
    ];
  };
  const figures = await compareClients(contendersOf, "nice-grpc", full, print);
  return figures.at(-1)?.ratio ?? Number.NaN;
}

if (process.argv[1] === import.meta.filename) await benchClient(console.log);
