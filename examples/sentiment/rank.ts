import type { createSentimentServiceClient } from "./gen/sentiment/v1/sentiment.client.js";

/** A text, and how it sounds. */
export interface Ranked {
  readonly text: string;
  readonly score: number;
}

/** Scores texts, all at once, and puts the best first. */
export async function rank(
  client: Pick<ReturnType<typeof createSentimentServiceClient>, "classify">,
  texts: readonly string[],
): Promise<readonly Ranked[]> {
  const ranked = texts.map(async (text) => ({
    text,
    score: (await client.classify({ text })).score,
  }));
  return (await Promise.all(ranked)).sort((a, b) => b.score - a.score);
}
