// Processors with a fault each; the environment's BAD says which.
import { readFileSync, writeFileSync } from "node:fs";
import { BaseProcessor } from "inferwire/host";

const kept = [];
let calls = 0;

const deeds = {
  /** Throws now and then. */
  throws: (data) => {
    if (++calls % 15 === 0) throw new Error("as bad processors do");
    return data;
  },
  /** Ends its process now and then. */
  crashes: (data) => {
    if (++calls % 30 === 0) process.exit(7);
    return data;
  },
  /** Blocks its process for ever now and then. */
  hangs: (data) => {
    if (++calls % 30 === 0) for (;;);
    return data;
  },
  /** Keeps four megabytes of every call, up to what a test may use of a machine. */
  leaks: (data) => {
    if (kept.length < 120) kept.push(Buffer.alloc(4 * 2 ** 20, 1));
    return data;
  },
  /** Answers the same question differently each time, as it may. */
  "answers anew": (data) => Buffer.from(`${data} ${Math.random()}`),
  "starts once": (data) => data,
};

class Bad extends BaseProcessor {
  process(data) {
    return deeds[process.env.BAD](data);
  }

  initialize() {
    if (process.env.BAD === "cannot start") throw new Error("no model");
    if (process.env.BAD === "starts once") onlyUnderFirstHost();
  }
}

/** The file of FIRST_HOST names the first host; lanes of another one do not start. */
function onlyUnderFirstHost() {
  const host = String(process.ppid);
  try {
    writeFileSync(process.env.FIRST_HOST, host, { flag: "wx" });
  } catch {
    if (readFileSync(process.env.FIRST_HOST, "utf8") !== host) throw new Error("once is enough");
  }
}

export { Bad as processor };
