/**
 * The program of EAS's page (predict.ts) against a directory and two hosts on this machine, with weights 100 and 50; then real
 * digits through the same client. `npx tsx examples/mnist/eas.ts [COUNT]`
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { ENDPOINT_TYPE_DIRECT, PredictClient, TFRequest } from "inferwire/eas";
import { listed } from "../discovery.js";
import { Children } from "./children.js";
import { loadDigits } from "./digits.js";
import { classCount, pixelCount } from "./network.js";

const service = "mnist_saved_model_example";
const token = "M2FhNjJl";
const DIGITS = 300;
const LEAST_ACCURACY = 0.96;

const [count = "3"] = process.argv.slice(2);
const children = new Children();

/** The column with the greatest score. */
function digitOf(scores: Float32Array): number {
  return scores.indexOf(Math.max(...scores));
}

try {
  const directoryProcess = children.start("directory.ts", [], "ignore");
  const [directory] = (await once(directoryProcess, "message")) as [string];
  for (const [name, weight] of [
    ["a", "100"],
    ["b", "50"],
  ] as const) {
    children.start("tensor-host.ts", [name, weight, directory], "ignore");
  }
  await listed(directory, service, 2);

  process.env["TOKEN"] = token;
  const program = children.start("predict.ts", [directory, service, count], "inherit");
  const [code] = (await once(program, "exit")) as [number | null];
  if (code !== 0) throw new Error(`predict.ts ended with ${code}`);

  const digits = loadDigits(readFileSync(new URL("data/digits.bin.gz", import.meta.url)));
  const endpointType = ENDPOINT_TYPE_DIRECT;
  await using client = new PredictClient(directory, service, { token, endpointType });
  const calls = new Map<string, number>();
  let right = 0;
  for (let index = 0; index < DIGITS; index++) {
    const request = new TFRequest("predict_images");
    const grey = Float32Array.from(digits.pixels(index), (byte) => byte / 255);
    request.addFeed("images", [1, pixelCount], TFRequest.DT_FLOAT, grey);
    request.addFetch("scores");
    const response = await client.predict(request, {
      onReport: ({ attempts }) => {
        for (const { instance } of attempts) calls.set(instance, (calls.get(instance) ?? 0) + 1);
      },
    });
    const scores = response.getValues("scores");
    if (!(scores instanceof Float32Array) || scores.length !== classCount) {
      throw new Error(`unexpected answer: ${response}`);
    }
    if (digitOf(scores) === digits.label(index)) right++;
  }
  const shares = [...calls].map(([instance, n]) => `${instance} ${n}`).join(", ");
  console.log(`${right} of ${DIGITS} digits right; calls: ${shares}`);
  process.exitCode = right / DIGITS >= LEAST_ACCURACY ? 0 : 1;
} finally {
  await children.stop();
}
