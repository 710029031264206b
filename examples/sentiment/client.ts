/** Ranks texts, the best first: `client.ts [TARGET] [TEXT]...`. Any target will do, such as `directory://HOST:PORT/sentiment`. */
import { CallError } from "inferwire/client";
import { createSentimentServiceClient } from "./gen/sentiment/v1/sentiment.client.js";
import { rank } from "./rank.js";

const [target = "127.0.0.1:8080", ...given] = process.argv.slice(2);
const texts =
  given.length > 0 ? given : ["What a lovely, sunny day!", "I miss my bus.", "It rains."];

await using client = createSentimentServiceClient({ target, timeoutMs: 2_000 });
try {
  for (const { score, text } of await rank(client, texts)) {
    console.log(`${score.toFixed(2).padStart(5)}  ${text}`);
  }
} catch (error) {
  if (!(error instanceof CallError)) throw error;
  console.error(`${error.reason}: ${error.message}`);
  process.exitCode = 1;
}
