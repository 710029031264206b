// A host of the proofs of calls: `noting-host.mjs OPTIONS_AS_JSON`. The payload, a JSON object, says what is done: `echo` answers it,
// `hang` never does, `trickle` answers in pieces for ever, `next` asks the host that `modelConfig.next` names to do the same (the
// last one hangs). The file `modelConfig.journal` is told, one JSON object a line, of each call as it arrives, as it is given up, and
// as what it asked the next host for ends. Moments are milliseconds of the machine's monotonic clock, which all processes share.
import { openSync, readFileSync, writeSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { createClient } from "inferwire/client";
import { BaseProcessor } from "inferwire/host";
import { PredictServiceDefinition } from "inferwire/proto";

const options = JSON.parse(process.argv[2] ?? "{}");

const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

const TRICKLE_MS = 5;

/** How long a process's main thread has waited for a core; 0 where unknown. */
function waitedForCoreMs(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

class Noting extends BaseProcessor {
  #journal;
  #next;
  /** Reads calls and hands them to lanes. */
  #mainPid;

  initialize({ modelConfig: { journal, next, mainPid } }) {
    this.#mainPid = mainPid;
    this.#journal = openSync(journal, "a");
    if (next !== undefined) this.#next = createClient(PredictServiceDefinition, { target: next });
  }

  async dispose() {
    await this.#next?.[Symbol.asyncDispose]();
  }

  process(data, call) {
    const atMs = nowMs();
    const remainingMs = call.remainingMs();
    const { id, do: order } = JSON.parse(Buffer.from(data).toString());
    if (order === "echo") return data;
    const leftMs = remainingMs === Number.POSITIVE_INFINITY ? null : remainingMs;
    this.#note({ id, what: "arrived", atMs, leftMs, waitedMs: waitedForCoreMs(this.#mainPid) });
    call.signal.addEventListener("abort", () => {
      this.#note({ id, what: "given up", atMs: nowMs(), reason: call.signal.reason?.reason });
    });
    if (order === "trickle") return this.#trickle(data, call.signal);
    return order === "next" && this.#next !== undefined ? this.#ask(id, data) : hang(call.signal);
  }

  async *#trickle(data, signal) {
    for (;;) {
      yield data;
      await wait(TRICKLE_MS, undefined, { signal });
    }
  }

  async #ask(id, data) {
    try {
      return (await this.#next.predict({ data })).data;
    } catch (error) {
      this.#note({ id, what: "ended", atMs: nowMs(), reason: error.reason ?? String(error) });
      throw error;
    }
  }

  #note(line) {
    writeSync(this.#journal, `${JSON.stringify(line)}\n`);
  }
}

function hang(signal) {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

const line = (level) => (fields, message) => {
  if ("method" in fields) return;
  const { err, ...rest } = fields;
  process.send?.({ level, message, fields: err === undefined ? rest : { ...rest, err: `${err}` } });
};
process.channel?.unref();

await new Noting({
  endpoint: "127.0.0.1:0",
  logger: { debug() {}, info: line("info"), warn: line("warn"), error: line("error") },
  ...options,
  modelConfig: { ...options.modelConfig, mainPid: process.pid },
}).run();
