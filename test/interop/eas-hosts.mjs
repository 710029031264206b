// A directory and the hosts behind it for EAS's own clients. Prints one JSON line with their ports; ends on SIGTERM.
// Every host answers the same words: "who" with its name, "path" with what it saw of the request, "status N" with that status,
// "sleep" when nobody waits any more; anything else comes back as it is. `control` starts and stops hosts, and tells what they have counted.
import { once } from "node:events";
import { startDirectory } from "inferwire/directory";
import { BaseProcessor, startHost, TensorProcessor } from "inferwire/host";

const TOKEN = "interop";
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const encoder = new TextEncoder();
const json = (value) => encoder.encode(JSON.stringify(value));

/** By service: calls of each host, and the connections they came by. */
const counted = new Map();
const running = new Map();

class Probe extends BaseProcessor {
  #service;
  #name;

  constructor(service, name) {
    super();
    this.#service = service;
    this.#name = name;
  }

  process(data, call) {
    const { calls, connections } = counted.get(this.#service);
    calls[this.#name] = (calls[this.#name] ?? 0) + 1;
    connections.add(`${this.#name} ${call.peer}`);
    const [word, argument] = Buffer.from(data.subarray(0, 32)).toString("latin1").split(" ");
    switch (word) {
      case "who":
        return encoder.encode(this.#name);
      case "path":
        return json({ path: call.path, query: call.query.toString() });
      case "status":
        return [encoder.encode("as asked"), Number(argument)];
      case "sleep":
        return once(call.signal, "abort").then(() => data);
      default:
        return data;
    }
  }
}

/** Gives back what it is given, under the same names. */
class Mirror extends TensorProcessor {
  process(inputs) {
    return inputs;
  }
}

const directory = await startDirectory({ endpoint: "127.0.0.1:0", logger });
const address = `127.0.0.1:${directory.address.port}`;

async function start(service, name, options = {}, processor = new Probe(service, name)) {
  if (!counted.has(service)) counted.set(service, { calls: {}, connections: new Set() });
  const common = {
    endpoint: "127.0.0.1:0",
    token: TOKEN,
    directory: address,
    service,
    name,
    logger,
  };
  // Long enough for a client that polls every 3 s to hear of it.
  const leaving = { preStopDelayMs: 4_000, terminationGracePeriodMs: 1_000 };
  const host = await startHost(processor, { ...common, ...leaving, ...options });
  running.set(name, host);
  return host.address.port;
}

async function stop(name) {
  const host = running.get(name);
  running.delete(name);
  await host.close();
}

/** What was counted since it was last asked. */
function take(service) {
  const { calls, connections } = counted.get(service);
  counted.set(service, { calls: {}, connections: new Set() });
  return { calls, connections: connections.size };
}

class Control extends BaseProcessor {
  async process(data) {
    const { start: started, stop: stopped, service } = JSON.parse(Buffer.from(data).toString());
    if (started !== undefined) await start("moving", started);
    // Its clients need a while to notice: whoever asks need not wait.
    else if (stopped !== undefined) void stop(stopped);
    else return json(take(service));
    return json({});
  }
}

const ports = { directory: directory.address.port };
ports.a = await start("probe", "a", { weight: 2, requestTimeoutMs: 500 });
ports.b = await start("probe", "b", { weight: 1, requestTimeoutMs: 500 });
ports.open = await start("open", "open", { token: undefined });
ports.full = await start("full", "full", {
  workerThreads: 1,
  maxQueueLength: 0,
  requestTimeoutMs: 2_000,
});
for (const name of ["m1", "m2"]) await start("moving", name);
for (let i = 0; i < 12; i += 1) await start("crowd", `c${i}`);
for (const codec of ["gzip", "zlib", "snappy", "lz4", "zstd"]) {
  ports[codec] = await start(codec, codec, { decompressor: codec });
}
for (const dialect of ["tensorflow", "pytorch", "onnx"]) {
  ports[dialect] = await start(dialect, dialect, {}, new Mirror({ dialect }));
}
ports.packed = await start(
  "packed",
  "packed",
  { decompressor: "snappy" },
  new Mirror({ dialect: "pytorch" }),
);
const control = await startHost(new Control(), { endpoint: "127.0.0.1:0", logger });
ports.control = control.address.port;
console.log(JSON.stringify(ports));

process.once("SIGTERM", () => process.exit(0));
