/**
 * Words that come one by one, and a caller who has had enough: the processor stops when it is told to, by the caller or by the
 * clock. `npx tsx examples/chat/main.ts [PROMPT]`
 */
import { setTimeout as wait } from "node:timers/promises";
import { CallError } from "inferwire/client";
import { silent } from "../silent.js";
import { createChatServiceClient } from "./gen/chat/v1/chat.client.js";
import { Chat } from "./processor.js";

const [prompt = "The White Rabbit"] = process.argv.slice(2);
const chat = new Chat({ service: "chat", endpoint: "127.0.0.1:0", logger: silent });
await using host = await chat.start();
await using client = createChatServiceClient({ target: `127.0.0.1:${host.address.port}` });

process.stdout.write(prompt);
for await (const { token } of client.chat({ prompt, maxTokens: 40 })) {
  process.stdout.write(` ${token}`);
}
console.log("\n");

const enough = new AbortController();
let received = 0;
let before = chat.words;
process.stdout.write(prompt);
try {
  for await (const { token } of client.chat({ prompt, maxTokens: 40 }, { signal: enough.signal })) {
    process.stdout.write(` ${token}`);
    received++;
    if (received === 20) enough.abort();
  }
} catch (error) {
  if (!enough.signal.aborted) throw error;
}
const made = (await wordsAtRest()) - before;
console.log(`\n\ncancelled after ${received} of 40 words; the processor stopped after ${made}\n`);

await failing("no prompt", client.complete({ prompt: "" }));
before = chat.words;
await failing("too slow", client.complete({ prompt, maxTokens: 40 }, { timeoutMs: 200 }));
console.log(`the processor stopped after ${(await wordsAtRest()) - before} of 40 words`);

/** How many words the processor has made, once it makes no more. */
async function wordsAtRest(): Promise<number> {
  for (;;) {
    const words = chat.words;
    await wait(200);
    if (chat.words === words) return words;
  }
}

async function failing(what: string, call: Promise<unknown>): Promise<void> {
  const error = await call.catch((thrown: unknown) => thrown);
  if (!(error instanceof CallError)) throw new Error(`${what} did not fail`, { cause: error });
  console.log(`${what}: ${error.message}`);
}
