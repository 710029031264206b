import { setMaxListeners } from "node:events";
import { PredictServiceDefinition } from "../../gen/inferwire/predict/v1/predict.js";
import { type Bar, barTable } from "../../src/cli/chaos/report.js";
import { createClient } from "../../src/client/index.js";
import { type AmbientCall, runOnBehalfOf } from "../../src/core/ambient-call.js";
import { silentLogger } from "../../src/core/ports.js";
import {
  type ClientRounds,
  type Contender,
  type ContenderFigures,
  compareClients,
  niceContender,
  request,
} from "../bench/client.js";
import type { ProofPorts } from "../support/proof-ports.js";

/** Sizes of a whole run and of a quick one. */
export const costSizes: Readonly<Record<"full" | "small", ClientRounds>> = {
  full: { rounds: 25, calls: 4_000 },
  small: { rounds: 3, calls: 1_000 },
};

const BARE = "nice-grpc";
const BAR = 1.15;

const { signal } = new AbortController();
// Each call that is under way listens.
setMaxListeners(0, signal);

/** A call that is served, on whose behalf calls are made; one for all, as making one is the host's cost. */
const served: AmbientCall = {
  trace: undefined,
  remainingMs: () => 3_000,
  signal,
};

/** A client with everything on that a call could pay for. */
function allOn(name: string, addresses: readonly string[], within?: AmbientCall): Contender {
  const client = createClient(PredictServiceDefinition, {
    target: addresses.join(","),
    logger: silentLogger,
    slowStartMs: 10_000,
    loadReports: true,
    methods: { predict: { idempotent: true, hedgeDelayMs: 2_000 } },
  });
  const call = (): Promise<unknown> => client.predict(request);
  return {
    name,
    call: within === undefined ? call : () => runOnBehalfOf(within, call),
    close: () => client[Symbol.asyncDispose](),
  };
}

/**
 * Compares the CPU time of a call through a typed client, with retries, hedging, ejection by failures and by ratio, health, load
 * reports, slow start and metrics, with that through a bare nice-grpc client: made by itself, and while a call is served.
 */
export function runCost(
  rounds: ClientRounds,
  { print }: ProofPorts,
): Promise<readonly ContenderFigures[]> {
  const contendersOf = (addresses: readonly string[]): readonly Contender[] => [
    niceContender(addresses[0] ?? ""),
    allOn("by itself", addresses),
    allOn("while a call is served", addresses, served),
  ];
  return compareClients(contendersOf, BARE, rounds, (line) => print(`  ${line}`));
}

/** What has to hold. */
export function costBars(figures: readonly ContenderFigures[]): readonly Bar[] {
  return figures
    .filter(({ name }) => name !== BARE)
    .map(({ name, cpuUs, ratio }) => ({
      what: `CPU of a call, ${name}`,
      bar: `at most ${BAR} x a bare nice-grpc client`,
      figure: `${ratio.toFixed(3)} x (${cpuUs.toFixed(0)} us)`,
      met: ratio <= BAR,
    }));
}

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1]) {
  const size = process.argv.includes("--small") ? "small" : "full";
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  print(barTable(costBars(await runCost(costSizes[size], { random: Math.random, print }))));
}
