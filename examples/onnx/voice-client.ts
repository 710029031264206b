import { createClient, type ServiceClient } from "inferwire/client";
import { PredictServiceDefinition } from "inferwire/proto";
import { bytesOf, floatsOf } from "./floats.js";
import { chunkSamples, contextSamples, stateCount } from "./voice-host.js";
import { type SoundPart, sampleRate } from "./voice-signal.js";

/** How the sound went. */
export interface VoiceReport {
  /** For each part of the sound the probabilities of speech, one for each 32 ms. */
  readonly parts: readonly (readonly number[])[];
  /** Whether several listeners, whose chunks the lanes took in any order, were told exactly the same. */
  readonly allAlike: boolean;
  readonly chunks: number;
  /** Seconds of sound judged in a second. */
  readonly timesRealTime: number;
}

const listeners = 4;

/**
 * Has one sound judged by several listeners at once, each chunk by whichever lane is free.
 *
 * @throws CallError when a call fails.
 */
export async function detectVoice(
  target: string,
  sound: readonly SoundPart[],
): Promise<VoiceReport> {
  await using client = createClient(PredictServiceDefinition, { target });
  const started = performance.now();
  const heard = await Promise.all(Array.from({ length: listeners }, () => listen(client, sound)));
  const seconds = (performance.now() - started) / 1_000;
  const [first = []] = heard;
  const chunks = listeners * first.flat().length;
  return {
    parts: first,
    allAlike: heard.every((one) => JSON.stringify(one) === JSON.stringify(first)),
    chunks,
    timesRealTime: (chunks * chunkSamples) / sampleRate / seconds,
  };
}

/** Sends the sound chunk by chunk, and with each what the model remembered after the one before. */
async function listen(
  client: ServiceClient<typeof PredictServiceDefinition>,
  sound: readonly SoundPart[],
): Promise<number[][]> {
  const request = new Float32Array(contextSamples + chunkSamples + stateCount);
  const parts: number[][] = [];
  for (const { samples } of sound) {
    const probabilities: number[] = [];
    for (let end = chunkSamples; end <= samples.length; end += chunkSamples) {
      request.copyWithin(0, chunkSamples, contextSamples + chunkSamples);
      request.set(samples.subarray(end - chunkSamples, end), contextSamples);
      const { data } = await client.predict({ data: bytesOf(request) });
      const answer = floatsOf(data);
      probabilities.push(answer[0] ?? Number.NaN);
      request.set(answer.subarray(1), contextSamples + chunkSamples);
    }
    parts.push(probabilities);
  }
  return parts;
}
