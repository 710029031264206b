import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { type Call, ServerError, Status } from "inferwire/host";
import type {
  ChatRequest,
  ChatResponse,
  CompleteRequest,
  CompleteResponse,
} from "./gen/chat/v1/chat.js";
import { ChatServiceProcessor } from "./gen/chat/v1/chat.processor.js";
import { type Chain, goOn, learn } from "./markov.js";

/** A word takes as long as with a real model. */
const MS_PER_WORD = 20;

/** Goes on with a text in the words of "Alice in Wonderland". */
export class Chat extends ChatServiceProcessor {
  #chain: Chain = new Map();
  #words = 0;

  /** How many words it has made, for all calls. */
  get words(): number {
    return this.#words;
  }

  override initialize(): void {
    this.#chain = learn(readFileSync(new URL("data/alice.txt", import.meta.url), "utf8"));
  }

  override async *chat(request: ChatRequest, { signal }: Call): AsyncIterable<ChatResponse> {
    for await (const token of this.#generate(request, signal)) yield { token };
  }

  override async complete(request: CompleteRequest, { signal }: Call): Promise<CompleteResponse> {
    const tokens: string[] = [];
    for await (const token of this.#generate(request, signal)) tokens.push(token);
    return { text: tokens.join(" ") };
  }

  /** Throws as soon as the caller is gone or the time is up: nobody computes for nobody. */
  async *#generate({ prompt, maxTokens }: CompleteRequest, signal: AbortSignal) {
    if (prompt === "") throw new ServerError(Status.INVALID_ARGUMENT, "the prompt is empty");
    let left = maxTokens || 100;
    for (const word of goOn(this.#chain, prompt)) {
      if (left-- === 0) return;
      await wait(MS_PER_WORD, undefined, { signal });
      this.#words++;
      yield word;
    }
  }
}
