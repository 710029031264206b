/**
 * Two real models behind one kind of host: one for digits and one for voice, two process lanes each, and
 * clients that call them. `npm start`, `npm start -- --keep`, `npm start -- --inline`.
 */
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type HostOptions, type ProcessorHost, startHost } from "inferwire/host";
import { classifyDigits, type DigitPicture, readDigits } from "./digits-client.js";
import { processor as digits, digitsOptions, digitsPath } from "./digits-host.js";
import { digitsModel } from "./digits-model.js";
import { type HostReport, watchHost } from "./host-watch.js";
import { detectVoice } from "./voice-client.js";
import { processor as voice, voiceOptions } from "./voice-host.js";
import { createSound } from "./voice-signal.js";

const LEAST_ACCURACY = 0.95;
/** Silero's own threshold: above it somebody is taken to speak. */
const SPEECH = 0.5;

const keep = process.argv.includes("--keep");
/** Models on the host's own thread, to see what the lanes are for. */
const inline = process.argv.includes("--inline");

function targetOf({ address }: ProcessorHost): string {
  return `${address.host}:${address.port}`;
}

function allLanesWorked({ lanes }: HostReport): boolean {
  const kind = inline ? "inline" : "process";
  return lanes.length > 0 && lanes.every((lane) => lane.kind === kind && lane.calls > 0);
}

function hostLines(seen: HostReport): string {
  const lanes = seen.lanes.map(({ kind, index, calls }) => `${kind} ${index}: ${calls} calls`);
  return `  lanes      ${lanes.join(", ")}   (all at work: ${mark(allLanesWorked(seen))})
  ping       99 of 100 answered within ${seen.pingMs.toFixed(1)} ms meanwhile`;
}

function mark(met: boolean): string {
  return met ? "met" : "NOT MET";
}

async function runDigits(target: string, pictures: readonly DigitPicture[]): Promise<boolean> {
  const watch = watchHost(target);
  const { calls, accuracy, callsPerSecond } = await classifyDigits(target, pictures);
  const seen = await watch.stop();
  const accurate = accuracy >= LEAST_ACCURACY;
  console.log(`
digits: ${pictures.length} handwritten digits that the network never saw, ${calls} calls
  accuracy   ${(100 * accuracy).toFixed(1)} %   (at least ${100 * LEAST_ACCURACY} %: ${mark(accurate)})
  speed      ${callsPerSecond.toFixed(0)} calls/s
${hostLines(seen)}`);
  return accurate && allLanesWorked(seen);
}

async function runVoice(target: string): Promise<boolean> {
  const sound = createSound();
  const watch = watchHost(target);
  const { parts, allAlike, chunks, timesRealTime } = await detectVoice(target, sound);
  const seen = await watch.stop();
  console.log(`\nvoice: ${chunks} chunks of 32 ms; probability of speech, mean and every 0.13 s`);
  let separated = true;
  for (const [index, { title, voiced }] of sound.entries()) {
    const chances = parts[index] ?? [];
    const mean = chances.reduce((sum, chance) => sum + chance, 0) / chances.length;
    separated &&= mean > SPEECH === voiced;
    console.log(`  ${title.padEnd(10)} ${mean.toFixed(2)}   ${curveOf(chances)}`);
  }
  console.log(`  vowels above ${SPEECH}, all else below: ${mark(separated)}
  same numbers whichever lane took a chunk: ${mark(allAlike)}
  speed      ${timesRealTime.toFixed(0)} times real time
${hostLines(seen)}`);
  return separated && allAlike && allLanesWorked(seen);
}

/** Every fourth probability as a bar. */
function curveOf(chances: readonly number[]): string {
  const bars = "▁▂▃▄▅▆▇█";
  return chances
    .filter((_, index) => index % 4 === 0)
    .map((chance) => bars[Math.floor(chance * (bars.length - 0.001))])
    .join("");
}

function printCommands(target: string, picture: DigitPicture | undefined): void {
  if (picture === undefined) return;
  const folder = dirname(digitsPath);
  const json = JSON.stringify({ data: Buffer.from(picture.bytes).toString("base64") });
  writeFileSync(`${folder}/digit.bin`, picture.bytes);
  writeFileSync(`${folder}/digit.json`, json);
  console.log(`\nStill running; a ${picture.label} to try it with (Ctrl+C ends everything):
  curl -s --data-binary @.inferwire/digit.bin http://${target}/api/predict/digits | od -An -tf4
  curl http://${target}/api/builtin/monitor
  grpcurl -plaintext -import-path ../../proto -proto inferwire/predict/v1/predict.proto \\
    -d @ ${target} inferwire.predict.v1.PredictService/Predict < .inferwire/digit.json\n`);
}

async function run(): Promise<boolean> {
  const override: HostOptions = {
    ...(inline ? { workerProcesses: 1 } : {}),
    logLevel: keep ? "info" : "warn",
  };
  mkdirSync(dirname(digitsPath), { recursive: true });
  writeFileSync(
    digitsPath,
    digitsModel(readFileSync(new URL("../mnist/data/weights.bin", import.meta.url))),
  );
  const pictures = readDigits();
  console.log(`starting two hosts, ${inline ? "models inline" : "two process lanes each"} ...`);
  await using digitsHost = await startHost(digits, { ...digitsOptions, ...override });
  await using voiceHost = await startHost(voice, { ...voiceOptions, ...override });
  const met = [
    await runDigits(targetOf(digitsHost), pictures),
    await runVoice(targetOf(voiceHost)),
  ];
  if (keep) {
    printCommands(targetOf(digitsHost), pictures[0]);
    await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
  }
  return met.every(Boolean);
}

process.exitCode = (await run()) ? 0 : 1;
