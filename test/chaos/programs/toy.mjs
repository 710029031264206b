// The host of the chaos runs: `toy.mjs OPTIONS_AS_JSON`. Its processor does what the payload orders, a JSON object of
// `id`, `do` and `ms`, and answers with the order's id and its own process id. CHAOS_JOURNAL names a file: each start of
// an order is written there before anything else happens, in one write, so that it is known even of a process that was
// killed. What the kit logs goes to the parent, all but what is logged of single calls.
import { openSync, writeSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { BaseProcessor, ServerError, Status } from "inferwire/host";

const options = JSON.parse(process.argv[2] ?? "{}");
const path = process.env.CHAOS_JOURNAL;
const journal = path === undefined ? undefined : openSync(path, "a");

const spin = (ms) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

const exhaust = () => {
  const eaten = [];
  for (;;) eaten.push(new Array(10_000).fill(eaten.length));
};

const orders = {
  echo: () => {},
  wait: ({ ms }) => wait(ms),
  spin: ({ ms }) => spin(ms),
  hang: () => spin(Number.POSITIVE_INFINITY),
  exit: () => process.exit(3),
  exhaust,
  fail: () => {
    throw new ServerError(Status.NOT_FOUND, "as ordered");
  },
  heap: () => {
    globalThis.gc?.();
    return { heapBytes: process.memoryUsage().heapUsed };
  },
};

/** How many pieces the orders `pieces` and `exit-in-reply` answer in. */
const PIECES = 5;

class Toy extends BaseProcessor {
  process(data, call) {
    const late = call.remainingMs() <= 0;
    const left = call.signal.aborted;
    const order = JSON.parse(Buffer.from(data).toString());
    const state = late ? "late" : left ? "left" : "in-time";
    if (journal !== undefined) writeSync(journal, `${order.id} ${process.pid} ${state}\n`);
    if (order.do === "pieces" || order.do === "exit-in-reply") return this.#pieces(order);
    return this.#whole(order);
  }

  async #whole(order) {
    return this.#answer(order, await orders[order.do](order));
  }

  async *#pieces(order) {
    for (let n = 0; n < PIECES; n++) {
      yield this.#answer(order, { n });
      await wait(order.ms / PIECES);
      if (order.do === "exit-in-reply") process.exit(3);
    }
  }

  #answer({ id }, more) {
    return Buffer.from(JSON.stringify({ id, pid: process.pid, ...more }));
  }
}

const line = (level) => (fields, message) => {
  if ("method" in fields) return;
  const { err, ...rest } = fields;
  process.send?.({ level, message, fields: err === undefined ? rest : { ...rest, err: `${err}` } });
};
process.on("message", () => {
  globalThis.gc?.();
  process.send({ level: "debug", message: "collected", fields: {} });
});
// What listens must not keep a host that has stopped.
process.channel?.unref();

await new Toy({
  endpoint: "127.0.0.1:0",
  logger: { debug() {}, info: line("info"), warn: line("warn"), error: line("error") },
  ...options,
}).run();
