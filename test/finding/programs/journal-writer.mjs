/**
 * `node journal-writer.mjs JOURNAL FIRST WRITERS`: writes to a store as fast as it takes it, until it is killed. Every writer counts up
 * from FIRST in things of its own, and each write that was acknowledged is one line: kind, number of the writer, count.
 */
import { writeSync } from "node:fs";
import { instanceOf } from "../../../dist/src/core/instance.js";
import { silentLogger, systemClock } from "../../../dist/src/core/ports.js";
import { openFileStore } from "../../../dist/src/directory/journal/file-store.js";

const [path = "", first = "1", writers = "1"] = process.argv.slice(2);
const service = "journal";
const ttlMs = 300_000;

const store = await openFileStore({ path, clock: systemClock, logger: silentLogger });

function registration(name, writer, weight, holder) {
  const instance = instanceOf({ name, host: "10.0.0.1", port: 1 + writer, weight });
  return { service: `${service}-${name}`, ttlMs, holder, instance };
}

let lease;

/** What one write is; `count` goes up by one each time. */
const kinds = {
  /** An operator's weight. */
  weight: (writer, count) =>
    store.setWeight({ service, instance: `weight-${writer}`, weight: count }),
  /** Shares of a group that belong together. */
  traffic: (writer, count) =>
    store.setTraffic({
      group: `group-${writer}`,
      shares: new Map([
        ["blue", count],
        ["green", count + 1],
      ]),
    }),
  /** A registration of one holder, whose lease stays. */
  held: async (writer, count) => {
    const holder = `holder-of-writer-${writer}-of-the-journal`;
    await store.register(registration(`held-${writer}`, writer, count, holder));
  },
  /** One that comes with an even count and goes with the next. */
  passing: async (writer, count) => {
    if (count % 2 === 1) await store.deregister(lease?.[writer] ?? "none");
    else {
      const { id } = await store.register(registration(`passing-${writer}`, writer, count, ""));
      lease = { ...lease, [writer]: id };
    }
  },
};

async function write(kind, writer) {
  for (let count = Number(first); ; count++) {
    await kinds[kind](writer, count);
    writeSync(1, `${kind} ${writer} ${count}\n`);
  }
}

// Who has an operator's weight is listed with it, so that it can be read.
for (let writer = 0; writer < Number(writers); writer++) {
  const name = `weight-${writer}`;
  await store.register({
    ...registration(name, writer, 0.5, `holder-of-${name}-of-the-journal`),
    service,
  });
}
writeSync(1, "open\n");
await Promise.all(
  Object.keys(kinds).flatMap((kind) =>
    Array.from({ length: Number(writers) }, (_, writer) => write(kind, writer)),
  ),
);
