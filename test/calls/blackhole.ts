import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { isServingError } from "inferwire";
import { createClient, openChannel } from "inferwire/client";
import { ENDPOINT_TYPE_DIRECT, PredictClient, StringRequest } from "inferwire/eas";
import { PredictServiceDefinition } from "inferwire/proto";
import { atMostMs, type Bar, Counts, never } from "../../src/cli/chaos/report.js";
import type { CallReport } from "../../src/core/serving-error.js";
import { keepRate, pace } from "../support/pace.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { easBody } from "../support/source-http-server.js";
import { atMost } from "./bars.js";
import { NotingHost, orderOf } from "./noting-host.js";

/** How often one of the hosts falls silent. */
export interface BlackholeSize {
  readonly rounds: number;
  /** All of them, unless told otherwise. */
  readonly ways?: readonly Way[];
}

export const blackholeSizes: { readonly full: BlackholeSize; readonly small: BlackholeSize } = {
  full: { rounds: 10 },
  small: { rounds: 1 },
};

type Way = "gRPC" | "gRPC, idempotent" | "gRPC, short of time" | "HTTP";

/** How calls go to the hosts: how long they have. Who is short of time sees failures first, and silence explains them. */
const timeouts: Readonly<Record<Way, number>> = {
  gRPC: 5_000,
  "gRPC, idempotent": 5_000,
  "gRPC, short of time": 1_000,
  HTTP: 5_000,
};

/** What clients saw of a host that takes connections and bytes, and says nothing. */
export interface BlackholeFigures {
  readonly way: Way;
  /** From the stop of a host to the last attempt on it, hedges and pings aside. */
  readonly outMs: readonly number[];
  /** From the moment in which it goes on to the next answer of it. */
  readonly backMs: readonly number[];
  /** Stops after which no answer of it came. */
  readonly lost: number;
  readonly calls: number;
  /** Calls that had an attempt on the silent host. */
  readonly caught: number;
  readonly outcomes: Counts;
}

const SERVICE = "noted";
const HOSTS = 4;
const PER_SECOND = 200;
const SILENT_MS = 3_500;
const BETWEEN_MS = 2_000;
const BACK_LIMIT_MS = 20_000;
const OUT_MS = 2_000;
const BACK_MS = 2_500;

/** An attempt: when it began, by `performance.now()`, where, and whether it was answered. */
interface Attempt {
  readonly beganMs: number;
  readonly endedMs: number;
  readonly instance: string;
  readonly answered: boolean;
}

/** Stops one host after the other under load, has it go on after a while, and looks where calls go. */
export async function runBlackhole(
  size: BlackholeSize,
  { random, print }: ProofPorts,
): Promise<readonly BlackholeFigures[]> {
  const all: BlackholeFigures[] = [];
  for (const way of size.ways ?? (Object.keys(timeouts) as Way[])) {
    const figures = await stopHosts(way, size.rounds, random);
    print(`  ${way}: ${figures.outcomes}; ${figures.caught} calls had an attempt on a silent host`);
    all.push(figures);
  }
  return all;
}

async function stopHosts(
  way: Way,
  rounds: number,
  random: () => number,
): Promise<BlackholeFigures> {
  const hosts = await Promise.all(
    Array.from({ length: HOSTS }, () => NotingHost.start({ service: SERVICE })),
  );
  const keys = hosts.map(({ key }) => key);
  const seed = Math.floor(random() * 1_000_000);
  const timeoutMs = timeouts[way];
  const load = new Load(
    await (way === "HTTP"
      ? httpCalls(keys, { seed, timeoutMs })
      : grpcCalls(keys, { seed, timeoutMs, idempotent: way === "gRPC, idempotent" })),
  );
  const outMs: number[] = [];
  const backMs: number[] = [];
  let lost = 0;
  let caught = 0;
  try {
    await pace.wait(BETWEEN_MS);
    for (let round = 0; round < rounds; round++) {
      const silent = hosts[round % HOSTS];
      if (silent === undefined) continue;
      const stoppedMs = performance.now();
      silent.freeze();
      await pace.wait(SILENT_MS);
      const goesOnMs = performance.now();
      silent.thaw();
      const answered = (): Attempt | undefined =>
        load.attempts.find(
          (each) => each.answered && each.instance === silent.key && each.beganMs > goesOnMs,
        );
      await pace.until(() => answered() !== undefined, BACK_LIMIT_MS);
      // Attempts that were begun in the silence have ended by then.
      await pace.wait(BETWEEN_MS);
      const back = answered();
      if (back === undefined) lost++;
      else backMs.push(back.endedMs - goesOnMs);
      const inSilence = load.attempts.filter(
        ({ instance, beganMs, endedMs }) =>
          instance === silent.key && endedMs > stoppedMs && beganMs < goesOnMs,
      );
      caught += inSilence.length;
      outMs.push(Math.max(0, ...inSilence.map(({ beganMs }) => beganMs - stoppedMs)));
    }
  } finally {
    await load.stop();
    await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
  }
  const { outcomes } = load;
  return { way, outMs, backMs, lost, calls: outcomes.total, caught, outcomes };
}

type MakeCall = (onReport: (report: CallReport) => void) => Promise<unknown>;

/** Calls without a pause, and every attempt that they came to. */
class Load {
  readonly attempts: Attempt[] = [];
  readonly outcomes: Counts = new Counts();
  readonly #open = new Set<Promise<void>>();
  readonly #ended: Promise<void>;
  readonly #close: () => Promise<void>;
  #stopped = false;

  constructor({ call, close }: Calls) {
    this.#close = close;
    this.#ended = keepRate(
      PER_SECOND,
      () => !this.#stopped,
      () => {
        const made = this.#make(call);
        this.#open.add(made);
        void made.then(() => this.#open.delete(made));
      },
    );
  }

  async #make(call: MakeCall): Promise<void> {
    const beganMs = performance.now();
    const onReport = ({ attempts }: CallReport): void => {
      for (const { instance, startedMs, durationMs, outcome } of attempts) {
        const begun = beganMs + startedMs;
        this.attempts.push({
          instance,
          beganMs: begun,
          endedMs: begun + durationMs,
          answered: outcome === "answered",
        });
      }
    };
    try {
      await call(onReport);
      this.outcomes.add("OK");
    } catch (error) {
      this.outcomes.add(isServingError(error) ? error.reason : (error as Error).name);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
    await Promise.all(this.#open);
    await this.#close();
  }
}

interface Calls {
  readonly call: MakeCall;
  readonly close: () => Promise<void>;
}

interface CallsOptions {
  readonly seed: number;
  readonly timeoutMs: number;
  readonly idempotent?: boolean;
}

async function grpcCalls(
  keys: readonly string[],
  { seed, timeoutMs, idempotent = false }: CallsOptions,
): Promise<Calls> {
  const channel = openChannel({ target: keys.join(","), seed });
  const methods = { predict: { idempotent, timeoutMs } };
  const client = createClient(PredictServiceDefinition, { channel, methods });
  const data = orderOf("echo", 0);
  await channel.ready();
  return {
    call: (onReport) => client.predict({ data }, { onReport }),
    close: () => channel.close(),
  };
}

/** EAS's clients find instances by a list over HTTP: here is one. */
async function httpCalls(
  keys: readonly string[],
  { seed, timeoutMs }: CallsOptions,
): Promise<Calls> {
  const items = keys.map((key) => {
    const [ip, port] = key.split(":");
    return { app: SERVICE, ip, port: Number(port), weight: 100 };
  });
  const list = createServer((_, response) => response.end(easBody(items))).listen(0, "127.0.0.1");
  await once(list, "listening");
  const { port } = list.address() as AddressInfo;
  const client = new PredictClient(`http://127.0.0.1:${port}`, SERVICE, {
    endpointType: ENDPOINT_TYPE_DIRECT,
    timeoutMs,
    seed,
  });
  await client.init();
  const request = new StringRequest(orderOf("echo", 0).toString());
  return {
    call: (onReport) => client.predict(request, { onReport }),
    async close() {
      await client.close();
      list.close();
    },
  };
}

/** What has to hold. What fails meanwhile had gone to the silent host before anybody could know, and nobody may repeat it. */
export function blackholeBars(all: readonly BlackholeFigures[]): readonly Bar[] {
  return all.flatMap(({ way, outMs, backMs, lost, calls, caught, outcomes }) => {
    const failed = outcomes.beyond(["OK"]);
    return [
      atMostMs(`${way}: from the stop to the last attempt on the silent host`, OUT_MS, outMs),
      atMostMs(`${way}: from its return to its next answer`, BACK_MS, backMs),
      never(`${way}: hosts that never came back`, lost, outMs.length),
      atMost(
        `${way}: failed calls (of ${calls}), against attempts on a silent host`,
        caught,
        failed,
      ),
    ];
  });
}
