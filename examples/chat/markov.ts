/** For every word of a text, the words that followed it. */
export type Chain = ReadonlyMap<string, readonly string[]>;

/** Learns from a text. */
export function learn(text: string): Chain {
  const chain = new Map<string, string[]>();
  const words = wordsOf(text);
  for (const [index, word] of words.entries()) {
    const next = words[index + 1] ?? words[0] ?? word;
    chain.set(word, [...(chain.get(word) ?? []), next]);
  }
  return chain;
}

/** Goes on after the last word of a prompt, for ever; it begins anywhere when it does not know that word. */
export function* goOn(chain: Chain, prompt: string): Generator<string> {
  const known = [...chain.keys()];
  let word = wordsOf(prompt).at(-1) ?? "";
  for (;;) {
    const next = chain.get(word) ?? known;
    word = next[Math.floor(Math.random() * next.length)] ?? "";
    yield word;
  }
}

function wordsOf(text: string): readonly string[] {
  return text.match(/\S+/g) ?? [];
}
