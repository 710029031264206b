/**
 * A client that predicts again and again, in a process of its own so that its memory is its own:
 * `predicts.mjs DIRECTORY SERVICE TOKEN CALLS CALLS_PER_SAMPLE AT_A_TIME`. Tells its parent a sample whenever so many calls have
 * ended and none is under way, right after a collection; with `--expose-gc`.
 */
import { ENDPOINT_TYPE_DIRECT, PredictClient, TFRequest } from "inferwire/eas";

const [directory, service, token, ...numbers] = process.argv.slice(2);
const [calls, callsPerSample, atATime] = numbers.map(Number);

const client = new PredictClient(directory, service, { token, endpointType: ENDPOINT_TYPE_DIRECT });
await client.init();
const request = new TFRequest("predict_images");
request.addFeed("images", [1, 784], TFRequest.DT_FLOAT, new Float32Array(784).fill(1));

const picks = {};
const failures = {};
const onReport = ({ attempts }) => {
  for (const { instance } of attempts) picks[instance] = (picks[instance] ?? 0) + 1;
};
let expected;
let wrong = 0;

async function one() {
  try {
    const response = await client.predict(request, { onReport });
    const scores = response.getValues("scores");
    expected ??= scores.slice();
    if (!expected.every((score, at) => score === scores[at])) wrong++;
  } catch (error) {
    failures[error.reason ?? error.name] = (failures[error.reason ?? error.name] ?? 0) + 1;
  }
}

for (let done = 0; done < calls; ) {
  let left = Math.min(callsPerSample, calls - done);
  done += left;
  const worker = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  process.send({ calls: done, bytes: heapUsed + arrayBuffers, picks, failures, wrong });
}
await client.close();
process.disconnect();
