/** How to test a processor, and an app that calls one: no port to choose, and nothing else to start. */
import { CallError, Status } from "inferwire/client";
import { ServerError } from "inferwire/host";
import { describe, expect, it } from "vitest";
import { type ClassifyRequest, Mood } from "./gen/sentiment/v1/sentiment.js";
import { SentimentServiceProcessor } from "./gen/sentiment/v1/sentiment.processor.js";
import { createSentimentServicePair } from "./gen/sentiment/v1/sentiment.testing.js";
import { Sentiment } from "./processor.js";
import { rank } from "./rank.js";

/** Stands in for the model: the longer a text, the better. */
class Mock extends SentimentServiceProcessor {
  readonly asked: string[] = [];

  override async classify({ text }: ClassifyRequest) {
    this.asked.push(text);
    if (text === "") throw new ServerError(Status.INVALID_ARGUMENT, "nothing to classify");
    return { score: text.length };
  }
}

describe("Sentiment", () => {
  it("scores the words that the lexicon has", async () => {
    await using pair = await createSentimentServicePair(new Sentiment());
    expect(await pair.client.classify({ text: "A FINE day, but a terrible trip" })).toEqual({
      score: -0.5,
      mood: Mood.MOOD_NEGATIVE,
      words: [
        { word: "fine", score: 2 },
        { word: "terrible", score: -3 },
      ],
    });
  });

  it("refuses a text without a word", async () => {
    await using pair = await createSentimentServicePair(new Sentiment());
    await expect(pair.client.classify({ text: " ... " })).rejects.toThrow("the text has no word");
  });
});

describe("rank", () => {
  it("asks for every text, and puts the best first", async () => {
    const mock = new Mock();
    await using pair = await createSentimentServicePair(mock);
    const ranked = await rank(pair.client, ["so", "very", "odd"]);
    expect(ranked.map(({ text }) => text)).toEqual(["very", "odd", "so"]);
    expect(mock.asked.toSorted()).toEqual(["odd", "so", "very"]);
  });

  it("fails with the code that the service gave", async () => {
    await using pair = await createSentimentServicePair(new Mock());
    const error = await rank(pair.client, ["odd", ""]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CallError);
    expect((error as CallError).code).toBe(Status.INVALID_ARGUMENT);
  });
});
