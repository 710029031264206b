import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Client, credentials } from "@grpc/grpc-js";
import { createClient } from "inferwire/client";
import { PredictRequest, PredictResponse, PredictServiceDefinition } from "inferwire/proto";
import { type Bar, barTable } from "../../src/cli/chaos/report.js";
import { median } from "../support/figures.js";
import { type LoopBlock, LoopBlocks } from "../support/loop-blocks.js";
import { keepBusy } from "../support/pace.js";
import { startPredictServers } from "../support/predict-servers.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { easBody } from "../support/source-http-server.js";

/** How many connections are opened, and how often each client does so. */
export interface OpeningSize {
  readonly instances: number;
  readonly rounds: number;
}

/** Sizes of a whole run and of a quick one. */
export const openingSizes: Readonly<Record<"full" | "small", OpeningSize>> = {
  full: { instances: 1_000, rounds: 5 },
  small: { instances: 200, rounds: 1 },
};

/** What one client did to the event loop, round by round. */
export interface OpeningFigures {
  readonly name: string;
  /** Whether there is a bar for it. */
  readonly ours: boolean;
  readonly blocks: readonly LoopBlock[];
  readonly openedInMs: readonly number[];
  /** Instances that no call had gone to when time was over, all rounds together. */
  readonly unopened: number;
}

const BAR_MS = 20;
const CALLERS = 16;
const LIMIT_MS = 60_000;
/** Those that a client serves from before the others join. */
const FIRST = 10;
const PREDICT = "/inferwire.predict.v1.PredictService/Predict";

/** A client under test, and one call of it: the address that answered. */
interface Opener {
  call(): Promise<string>;
  close(): PromiseLike<void> | void;
}

interface Contender {
  readonly name: string;
  readonly ours: boolean;
  /** Opens a client for these; `all` when the rest joins while it serves. */
  open(addresses: readonly string[]): Opener;
}

interface Joining extends Contender {
  join(addresses: readonly string[]): void;
}

/** Addresses of one port: the loopback net has more than enough. */
function addressesOf(count: number, port: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => `127.0.${n >> 8}.${(n & 255) + 1}:${port}`).map(
    (address) => address.replace(".256:", ".0:"),
  );
}

/**
 * Opens connections to so many instances, each client in its turn, while calls go on, and looks for the longest time in which the
 * event loop was kept. Instances are addresses of one server in a process of its own, a connection each.
 */
export async function runOpening(
  { instances, rounds }: OpeningSize,
  { print }: ProofPorts,
): Promise<readonly OpeningFigures[]> {
  using servers = await startPredictServers({ address: "0.0.0.0", count: 1 });
  const addresses = addressesOf(instances, servers.ports[0] ?? 0);
  const folder = mkdtempSync(join(tmpdir(), "inferwire-opening-"));
  const contenders = [
    joining(folder),
    cold(folder),
    grpcJs("round_robin"),
    grpcJs("weighted_round_robin"),
  ];
  const figures = contenders.map(({ name, ours }) => ({
    name,
    ours,
    blocks: [] as LoopBlock[],
    openedInMs: [] as number[],
    unopened: 0,
  }));
  for (let round = -1; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      // Before the first round everyone calls a few, so that it is compiled.
      const some = round < 0 ? addresses.slice(0, 3 * FIRST) : addresses;
      const seen = await openAll(contender, some);
      const figure = figures[index];
      if (round < 0 || figure === undefined) continue;
      figure.blocks.push(seen.block);
      figure.openedInMs.push(seen.openedInMs);
      figure.unopened += seen.unopened;
      print(
        `  ${contender.name}: ${shown(seen.block)}, all open in ${seen.openedInMs.toFixed(0)} ms`,
      );
    }
  }
  rmSync(folder, { recursive: true });
  return figures;
}

interface Opening {
  readonly block: LoopBlock;
  readonly openedInMs: number;
  readonly unopened: number;
}

async function openAll(
  contender: Contender | Joining,
  addresses: readonly string[],
): Promise<Opening> {
  const left = new Set(addresses);
  let over = false;
  const limit = setTimeout(() => {
    over = true;
  }, LIMIT_MS);
  const callers = (opener: Opener, more: () => boolean): Promise<void> =>
    keepBusy(CALLERS, more, async () => {
      left.delete(await opener.call());
    });
  let blocks = new LoopBlocks();
  let startedMs = performance.now();
  let opener: Opener;
  if ("join" in contender) {
    const first = addresses.slice(0, FIRST);
    opener = contender.open(first);
    await callers(opener, () => !over && first.some((address) => left.has(address)));
    blocks.stop();
    blocks = new LoopBlocks();
    startedMs = performance.now();
    contender.join(addresses);
  } else {
    opener = contender.open(addresses);
  }
  await callers(opener, () => !over && left.size > 0);
  const openedInMs = performance.now() - startedMs;
  const block = blocks.stop();
  clearTimeout(limit);
  await opener.close();
  return { block, openedInMs, unopened: left.size };
}

function listFile(
  folder: string,
  name: string,
): { target: string; write(list: readonly string[]): void } {
  const path = join(folder, `${name}.json`);
  return {
    target: pathToFileURL(path).href,
    write(list) {
      const items = list.map((address) => {
        const [ip, port] = address.split(":");
        return { ip, port: Number(port), weight: 100 };
      });
      writeFileSync(`${path}.new`, easBody(items));
      renameSync(`${path}.new`, path);
    },
  };
}

const request = { data: Buffer.alloc(64, 7) };

function ourClient(target: string): Opener {
  const client = createClient(PredictServiceDefinition, { target });
  return {
    async call() {
      let instance = "";
      await client.predict(request, {
        onReport: ({ attempts }) => {
          instance = attempts.at(-1)?.instance ?? "";
        },
      });
      return instance;
    },
    close: () => client[Symbol.asyncDispose](),
  };
}

function joining(folder: string): Joining {
  const file = listFile(folder, "joining");
  return {
    name: "inferwire, joining",
    ours: true,
    open(addresses) {
      file.write(addresses);
      return ourClient(file.target);
    },
    join: (addresses) => file.write(addresses),
  };
}

function cold(folder: string): Contender {
  const file = listFile(folder, "cold");
  return {
    name: "inferwire, cold",
    ours: true,
    open(addresses) {
      file.write(addresses);
      return ourClient(file.target);
    },
  };
}

function grpcJs(policy: string): Contender {
  const serviceConfig = { loadBalancingConfig: [{ [policy]: {} }] };
  return {
    name: `grpc-js ${policy}, cold`,
    ours: false,
    open(addresses) {
      const client = new Client(`ipv4:${addresses.join(",")}`, credentials.createInsecure(), {
        "grpc.service_config": JSON.stringify(serviceConfig),
        "grpc.use_local_subchannel_pool": 1,
        "grpc.enable_channelz": 0,
      });
      return {
        call: () =>
          new Promise((resolve, reject) => {
            const call = client.makeUnaryRequest(
              PREDICT,
              (message: PredictRequest) => Buffer.from(PredictRequest.encode(message).finish()),
              (bytes) => PredictResponse.decode(bytes),
              PredictRequest.create(request),
              (error) => (error === null ? resolve(call.getPeer()) : reject(error)),
            );
          }),
        close: () => client.close(),
      };
    },
  };
}

function shown({ ms, computedMs }: LoopBlock): string {
  return `longest block ${computedMs.toFixed(1)} ms (${ms.toFixed(1)} with waits for a core)`;
}

/** What has to hold; what grpc-js does in the same run stands beside it, with no bar. */
export function openingBars(figures: readonly OpeningFigures[]): readonly Bar[] {
  return figures.map(({ name, ours, blocks, openedInMs, unopened }) => {
    const worst = Math.max(...blocks.map(({ computedMs }) => computedMs));
    const middle = median(blocks.map(({ computedMs }) => computedMs));
    return {
      what: `${name}: longest block of the event loop`,
      bar: ours ? `below ${BAR_MS} ms, all opened` : "none, for comparison",
      figure: `${worst.toFixed(1)} ms (median of ${blocks.length} rounds ${middle.toFixed(1)}), open in ${median(openedInMs).toFixed(0)} ms, ${unopened} not opened`,
      met: !ours || (worst < BAR_MS && unopened === 0),
    };
  });
}

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1]) {
  const size = process.argv.includes("--small") ? "small" : "full";
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  print(
    barTable(openingBars(await runOpening(openingSizes[size], { random: Math.random, print }))),
  );
}
