// Serves calls that each begin something that lives on, collects garbage, and says how many of their payloads are still in memory.
import { createClient } from "inferwire/client";
import { BaseProcessor } from "inferwire/host";
import { PredictServiceDefinition } from "inferwire/proto";

const CALLS = 4;
const LOOP_MS = 50;
const PAYLOAD_BYTES = 100_000;
const GIVEN_UP_AFTER_MS = 200;
/** A held payload is held however often garbage is collected; one that is not may need a few turns. */
const MOST_COLLECTIONS = 40;

const quiet = { endpoint: "127.0.0.1:0", logLevel: "silent" };

class Inner extends BaseProcessor {
  process() {
    return Buffer.from("fine");
  }
}

const inner = await new Inner(quiet).start();
const target = `127.0.0.1:${inner.address.port}`;
const payloads = [];

class Outer extends BaseProcessor {
  process(data, call) {
    payloads.push(new WeakRef(data));
    const client = beginLoop();
    switch (call.path) {
      case "pieces":
        return this.#pieces(client);
      case "failed":
        return client.predict({}).then(() => Promise.reject(new Error("as told")));
      case "given up":
        return client.predict({}).then(() => hang(call.signal));
      default:
        return client.predict({}).then(({ data: answer }) => answer);
    }
  }

  async *#pieces(client) {
    for (let piece = 0; piece < 2; piece++) yield (await client.predict({})).data;
  }
}

// Not part of `process`: what a closure there takes along would keep the call, whatever the kit does.
function beginLoop() {
  // A client of its own each time: its connection and its timers are made within the call.
  const client = createClient(PredictServiceDefinition, { target });
  setInterval(() => client.predict({}).catch(() => {}), LOOP_MS);
  return client;
}

function hang(signal) {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

const outer = await new Outer(quiet).start();
const caller = createClient(PredictServiceDefinition, {
  target: `127.0.0.1:${outer.address.port}`,
});

async function ask(path) {
  const request = { path, data: Buffer.alloc(PAYLOAD_BYTES) };
  if (path === "pieces") {
    for await (const _ of caller.predictStream(request));
    return;
  }
  const options = path === "given up" ? { timeoutMs: GIVEN_UP_AFTER_MS } : {};
  await caller.predict(request, options).catch(() => {});
}

const kept = () => payloads.filter((payload) => payload.deref() !== undefined).length;

const figures = {};
for (const path of ["answered", "failed", "pieces", "given up"]) {
  for (let n = 0; n < CALLS; n++) await ask(path);
  // What is young is held by frames that have not been left yet: others take their place.
  for (let n = 0; n < CALLS; n++) await caller.predict({});
  payloads.length = CALLS;
  for (let n = 0; n < MOST_COLLECTIONS && kept() > 0; n++) {
    // Looking at a payload keeps it to the end of the turn.
    await new Promise((resolve) => setTimeout(resolve, 10));
    globalThis.gc();
  }
  figures[path] = { served: payloads.length, kept: kept() };
  payloads.length = 0;
}
process.stdout.write(JSON.stringify(figures), () => process.exit(0));
