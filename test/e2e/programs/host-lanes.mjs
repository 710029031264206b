// A processor for tests of whole hosts with lanes: the path of a call says what it does. The names of files come with
// the calls: what waits for one ends when it appears.
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { threadId } from "node:worker_threads";
import { createClient } from "inferwire/client";
import { BaseProcessor } from "inferwire/host";
import { PredictServiceDefinition } from "inferwire/proto";

const json = (value) => Buffer.from(JSON.stringify(value));

const appears = async (file) => {
  while (!existsSync(file)) await sleep(5);
};

const vanishes = async (file, signal) => {
  while (existsSync(file)) await sleep(5, undefined, { signal });
};

export class Lab extends BaseProcessor {
  properties = {
    depth: { initial: "1" },
    ready: { initial: "yes" },
  };

  functions = { reverse: (data) => Uint8Array.from(data).reverse() };

  #context;
  #inner;
  #events = [];
  #told = [];

  #answers = {
    echo: (data) => data,
    who: () =>
      json({
        ...this.#context.lane,
        pid: process.pid,
        threadId,
        depth: this.#context.properties.get("depth"),
        told: this.#told,
        events: this.#events,
      }),
    exit: () => process.exit(3),
    poison: (data) => (String(data) === "poison" ? process.exit(3) : data),
    loop: () => {
      for (;;);
    },
    pieces: (data) => this.#count(Number(data)),
    torn: (data) => this.#torn(String(data)),
    wait: async (data) => {
      await appears(String(data));
      return Buffer.from("kept");
    },
    relay: async (data) => (await this.#inner.predict({ data })).data,
  };

  async initialize(context) {
    this.#context = context;
    const { hold, deaf, inner } = context.modelConfig ?? {};
    if (hold !== undefined) await vanishes(hold, deaf ? undefined : context.signal);
    if (inner !== undefined)
      this.#inner = createClient(PredictServiceDefinition, { target: inner });
    this.#events.push("initialized");
  }

  isReady() {
    return this.#context.properties.get("ready") === "yes";
  }

  onTell(message) {
    this.#told.push(String(Buffer.from(message)));
  }

  async dispose() {
    await this.#inner?.[Symbol.asyncDispose]();
  }

  process(bytes, call) {
    const data = Buffer.from(bytes);
    if (call.peer === "warm-up") return this.#warm(String(data));
    const answer = this.#answers[call.path.replace(/^\//, "")];
    if (answer === undefined) throw new Error(`no answer is called ${call.path}`);
    return answer(data);
  }

  async #warm(sample) {
    this.#events.push(sample);
    if (this.#context.modelConfig?.cold !== undefined)
      await vanishes(this.#context.modelConfig.cold);
    return Buffer.from(sample);
  }

  async *#count(to) {
    for (let at = 0; at < to; at++) yield Buffer.from(`${at}.`);
  }

  async *#torn(file) {
    yield Buffer.from("half");
    await appears(file);
    process.exit(3);
  }
}

export { Lab as processor };
