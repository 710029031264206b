// Opens and closes clients, run with --expose-gc: `leak-clients.mjs OPTIONS_AS_JSON` with `port` of a host that listens on all
// addresses of 127/8, `clients`, `samples`, `settleMs` and `atATime`. A line of JSON for each sample, taken right after a collection while
// no client is open; a last one that counts how calls ended.
import { setTimeout as wait } from "node:timers/promises";
import { closeClient, createClient } from "inferwire/client";
import { PredictClient, StringRequest } from "inferwire/eas";
import { PredictServiceDefinition } from "inferwire/proto";

const { port, clients, samples, settleMs, atATime } = JSON.parse(process.argv[2] ?? "{}");
const outcomes = {};
const count = (name) => {
  outcomes[name] = (outcomes[name] ?? 0) + 1;
};
const noted = (call) =>
  call.then(
    () => count("OK"),
    (error) => count(error.reason ?? String(error)),
  );

// What is closed first waits for a minute: addresses of its own keep ports from running out.
const address = (n) => `127.0.0.${1 + (n % 200)}:${port}`;
const typed = (n) => createClient(PredictServiceDefinition, { target: address(n) });
const eas = (n) => new PredictClient(`http://${address(n)}`, "demo");
const echo = { data: Buffer.from("echo") };
const stay = { data: Buffer.from("stay") };

/** Every way in which a client can be done with; which one is next goes by its number, so that each sample has them all. */
const lives = [
  async (n) => {
    const client = typed(n);
    await noted(client.predict(echo));
    await closeClient(client);
  },
  async (n) => {
    const client = typed(n);
    const ended = noted(client.predict(stay));
    // In the middle of connecting, of sending, of waiting.
    if (n % 3 > 0) await wait(n % 3 === 1 ? 1 : 15);
    await closeClient(client);
    await ended;
  },
  async (n) => {
    const client = eas(n);
    await noted(client.predict(new StringRequest("echo")));
    await client.close();
  },
  async (n) => {
    const client = eas(n);
    const ended = noted(client.predict(new StringRequest("stay")));
    if (n % 3 > 0) await wait(n % 3 === 1 ? 1 : 15);
    await client.close();
    await ended;
  },
  async (n) => {
    const client = eas(n);
    await client.init();
    await client.close();
  },
];
const idle = async (n) => {
  await closeClient(typed(n));
};

let begun = 0;
const worker = async (until) => {
  while (begun < until) {
    const n = begun++;
    // One client in four has a call or at least a list.
    await (n % 4 === 0 ? lives[(n / 4) % lives.length] : idle)(n);
  }
};

/** What is open besides what reports to the parent. */
const handles = () => {
  const open = process.getActiveResourcesInfo().filter((kind) => kind !== "PipeWrap");
  return Object.fromEntries(
    [...new Set(open)].map((kind) => [kind, open.filter((each) => each === kind).length]),
  );
};

const settled = async () => {
  await wait(settleMs);
  for (let n = 0; n < 3; n++) {
    globalThis.gc();
    await wait(10);
  }
};

for (let sample = 1; sample <= samples; sample++) {
  const until = Math.round((clients * sample) / samples);
  await Promise.all(Array.from({ length: atATime }, () => worker(until)));
  await settled();
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  const memory = { heapBytes: heapUsed, externalBytes: external + arrayBuffers, rssBytes: rss };
  process.stdout.write(`${JSON.stringify({ clients: begun, ...memory, handles: handles() })}\n`);
}
process.stdout.write(`${JSON.stringify({ outcomes })}\n`);
