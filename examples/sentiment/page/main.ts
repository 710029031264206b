/** The page: asks the host itself, at every key. What it still waits for when the next key comes, it cancels. */
import { ClientError, createChannel, createClient } from "nice-grpc-web";
import {
  type ClassifyResponse,
  Mood,
  SentimentServiceDefinition,
} from "../gen/sentiment/v1/sentiment.js";

/** The host's address; `serve.ts` puts it in. */
declare const HOST: string;

const faces: Readonly<Record<number, string>> = {
  [Mood.MOOD_NEGATIVE]: "🙁",
  [Mood.MOOD_NEUTRAL]: "😐",
  [Mood.MOOD_POSITIVE]: "🙂",
};

const client = createClient(SentimentServiceDefinition, createChannel(HOST));
const text = find("textarea");
const answer = find("output");
let asking = new AbortController();

function find<Name extends keyof HTMLElementTagNameMap>(name: Name): HTMLElementTagNameMap[Name] {
  const element = document.querySelector(name);
  if (element === null) throw new Error(`the page has no ${name}`);
  return element;
}

function shown({ score, mood, words }: ClassifyResponse): string {
  const list = words.map((each) => `${each.word} ${each.score}`).join(", ");
  return `${faces[mood]} ${score.toFixed(2)} ${list === "" ? "" : `(${list})`}`.trim();
}

async function ask(): Promise<void> {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  try {
    answer.textContent = shown(await client.classify({ text: text.value }, { signal }));
  } catch (error) {
    if (signal.aborted) return;
    answer.textContent = error instanceof ClientError ? error.details : String(error);
  }
}

text.addEventListener("input", () => void ask());
