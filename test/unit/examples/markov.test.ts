import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { goOn, learn } from "../../../examples/chat/markov.js";

const text = readFileSync(
  new URL("../../../examples/chat/data/alice.txt", import.meta.url),
  "utf8",
).replace(/\s+/g, " ");

function first(count: number, prompt: string): readonly string[] {
  const words: string[] = [];
  for (const word of goOn(learn(text), prompt)) {
    words.push(word);
    if (words.length === count) break;
  }
  return words;
}

describe("goOn", () => {
  it("follows each word by one that follows it in the text", () => {
    let before = "Rabbit";
    for (const word of first(200, `The White ${before}`)) {
      expect(` ${text.trim()} `.repeat(2).replace(/\s+/g, " ")).toContain(` ${before} ${word} `);
      before = word;
    }
  });

  it.each(["", "Xyzzy"])("begins anywhere after %j, which it does not know", (prompt) => {
    expect(text).toContain(first(1, prompt)[0]);
  });
});
