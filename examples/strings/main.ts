/**
 * Plain bytes in and out: two hosts that count words, found through a directory, called with `StringRequest`; a sub-path and a
 * query reach the processor. `npx tsx examples/strings/main.ts`
 */
import { startDirectory } from "inferwire/directory";
import { ENDPOINT_TYPE_DIRECT, PredictClient, StringRequest } from "inferwire/eas";
import { BaseProcessor, type Call } from "inferwire/host";

import { listed } from "../discovery.js";
import { silent } from "../silent.js";

const service = "word_count";
const token = "c2VjcmV0";

class WordCount extends BaseProcessor {
  process(data: Uint8Array, { path, query }: Call): Uint8Array {
    const words = Buffer.from(data).toString().toLowerCase().split(/\s+/).filter(Boolean);
    if (path !== "/top") return Buffer.from(`${words.length} words`);
    const counts = new Map<string, number>();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    const top = [...counts].sort((a, b) => b[1] - a[1]).slice(0, Number(query.get("n") ?? 1));
    return Buffer.from(top.map(([word, n]) => `${word} ${n}`).join(", "));
  }
}

await using directory = await startDirectory({ endpoint: "127.0.0.1:0", logger: silent });
const address = `${directory.address.host}:${directory.address.port}`;
const host = (name: string, weight: number): WordCount =>
  new WordCount({
    service,
    token,
    name,
    weight,
    directory: address,
    endpoint: "127.0.0.1:0",
    logger: silent,
  });
await using _a = await host("a", 2).start();
await using _b = await host("b", 1).start();

await listed(address, service, 2);

await using client = new PredictClient(address, service, {
  token,
  endpointType: ENDPOINT_TYPE_DIRECT,
});
const text = "the cat and the dog and the bird";
const request = new StringRequest(text);
console.log(`${await client.predict(request)}`);
console.log(`${await client.predict(request, { path: "/top", query: { n: "2" } })}`);

const calls = new Map<string, number>();
for (let i = 0; i < 300; i++) {
  await client.predict(request, {
    onReport: ({ attempts }) => {
      for (const { instance } of attempts) calls.set(instance, (calls.get(instance) ?? 0) + 1);
    },
  });
}
console.log(`300 calls, shared ${[...calls.values()].sort((a, b) => b - a).join(" to ")}`);
