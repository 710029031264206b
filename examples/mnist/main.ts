/**
 * The whole idea at work: a directory, three hosts that classify handwritten digits, and a client that finds them,
 * shares its calls by weight, and loses none when a host is killed. `npm start`, or `npm start -- --keep`.
 */
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { openChannel, type ServiceChannel } from "inferwire/client";
import { Children } from "./children.js";
import { type Digits, loadDigits } from "./digits.js";
import { startLoad } from "./load.js";
import { callsOf, type Phase, shareTable, Tally, worstError } from "./tally.js";

const weights: Readonly<Record<string, number>> = {
  "digits-a": 100,
  "digits-b": 50,
  "digits-c": 50,
};
const victim = "digits-c";
const survivors = Object.fromEntries(Object.entries(weights).filter(([name]) => name !== victim));

const CALLS_IN_FLIGHT = 16;
const CALLS_PER_PHASE = 2_000;
const START_TIMEOUT_MS = 30_000;
const LEAST_ACCURACY = 0.96;
const LARGEST_SHARE_ERROR = 0.01;
const MOST_FAILURES = 100;

const keep = process.argv.includes("--keep");
const children = new Children();

function startHost(name: string, directory: string): ReturnType<Children["start"]> {
  return children.start(
    "host.ts",
    [name, String(weights[name]), directory],
    keep ? "inherit" : "ignore",
  );
}

/** Waits until a phase has its calls; gives up when too many fail. */
async function answered(phase: Phase, tally: Tally): Promise<void> {
  while (callsOf(phase) < CALLS_PER_PHASE) {
    if (tally.failed > MOST_FAILURES) throw new Error(`${tally.failed} calls failed, giving up`);
    await wait(5);
  }
}

/** Waits until the client's own list says what it should. */
async function listed(
  channel: ServiceChannel,
  ready: (keys: readonly string[]) => boolean,
): Promise<void> {
  const giveUp = Date.now() + START_TIMEOUT_MS;
  while (!ready(channel.snapshot().instances.map((instance) => instance.key))) {
    if (Date.now() > giveUp) throw new Error("the hosts did not register in time");
    await wait(20);
  }
}

function verdict(tally: Tally): boolean {
  const worst = worstError(tally, Object.keys(weights));
  const met = [tally.accuracy >= LEAST_ACCURACY, tally.failed === 0, worst <= LARGEST_SHARE_ERROR];
  const mark = (ok: boolean | undefined): string => (ok ? "met" : "NOT MET");
  console.log(
    `accuracy         ${(tally.accuracy * 100).toFixed(1)} %   (at least ${LEAST_ACCURACY * 100} %: ${mark(met[0])})`,
  );
  console.log(
    `failed calls     ${tally.failed}        (none: ${mark(met[1])}; ${tally.retried} were tried again elsewhere)`,
  );
  console.log(
    `worst share      off by ${(worst * 100).toFixed(2)} points   (at most ${LARGEST_SHARE_ERROR * 100}: ${mark(met[2])})`,
  );
  return met.every(Boolean);
}

function printCommands(channel: ServiceChannel, digits: Digits): void {
  mkdirSync(".inferwire", { recursive: true });
  const digit = digits.pixels(0);
  writeFileSync(".inferwire/digit.bin", digit);
  writeFileSync(
    ".inferwire/digit.json",
    JSON.stringify({ data: Buffer.from(digit).toString("base64") }),
  );
  const [first] = channel.snapshot().instances;
  const at = first?.key ?? "";
  console.log(`\nStill running; a ${digits.label(0)} to try it with (Ctrl+C ends everything):
  curl --data-binary @.inferwire/digit.bin http://${at}/api/predict/mnist
  curl http://${at}/api/builtin/monitor
  grpcurl -plaintext -import-path proto -proto inferwire/predict/v1/predict.proto \\
    -d @ ${at} inferwire.predict.v1.PredictService/Predict < .inferwire/digit.json\n`);
}

async function run(): Promise<boolean> {
  const digits = loadDigits(readFileSync(new URL("data/digits.bin.gz", import.meta.url)));
  console.log("starting a directory and three hosts with weights 100, 50 and 50 ...");
  const directoryProcess = children.start("directory.ts", [], "ignore");
  const [directory] = (await once(directoryProcess, "message")) as [string];
  const hosts = new Map(Object.keys(weights).map((name) => [name, startHost(name, directory)]));

  await using channel = openChannel({ target: `directory://${directory}/mnist` });
  await channel.ready({ timeoutMs: START_TIMEOUT_MS });
  await listed(channel, (keys) => keys.length === hosts.size);

  const tally = new Tally();
  const started = performance.now();
  console.log(
    `classifying ${digits.count} digits again and again, ${CALLS_IN_FLIGHT} at a time ...`,
  );
  const load = startLoad(channel, digits, tally, {
    phase: tally.begin("all three", weights),
    inFlight: CALLS_IN_FLIGHT,
  });
  await answered(load.phase, tally);

  console.log(`killing ${victim} with SIGKILL under load ...`);
  const lost = channel.snapshot().instances.find(({ name }) => name === victim)?.key ?? "";
  hosts.get(victim)?.kill("SIGKILL");
  load.phase = tally.begin("one killed", survivors);
  await answered(load.phase, tally);

  console.log("starting it again ...");
  load.phase = tally.begin("coming back");
  startHost(victim, directory);
  await listed(channel, (keys) => keys.length === hosts.size && !keys.includes(lost));

  load.phase = tally.begin("back again", weights);
  await answered(load.phase, tally);
  await load.stop();
  const seconds = (performance.now() - started) / 1_000;

  console.log(`\n${shareTable(tally, Object.keys(weights))}\n`);
  const ok = verdict(tally);
  console.log(
    `speed            ${(tally.total / seconds).toFixed(0)} calls/s, ` +
      `p50 ${tally.quantile(0.5).toFixed(1)} ms, p99 ${tally.quantile(0.99).toFixed(1)} ms`,
  );
  if (keep) {
    printCommands(channel, digits);
    await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
  }
  return ok;
}

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  if (!keep) process.once(signal, () => void children.stop().then(() => process.exit(code)));
}
try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  await children.stop();
}
