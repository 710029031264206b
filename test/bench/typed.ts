import { pathToFileURL } from "node:url";
import { createClient } from "inferwire/client";
import { PredictServiceDefinition } from "inferwire/proto";
import { spread } from "../support/figures.js";
import { startChild } from "./child.js";
import { BENCH_TOKEN, PAYLOAD_BYTES, type ServerKind } from "./protocol.js";
import { measure, printRows, ratio } from "./server.js";
import { EchoServiceDefinition } from "./typed-service.js";

const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 9);
const CLIENT_CALLS = 4_000;
const IN_FLIGHT = 16;
const BAR = 1.15;

type TypedKind = Extract<ServerKind, "host-grpc" | "host-typed" | "host-text">;

const names: Readonly<Record<TypedKind, string>> = {
  "host-grpc": "process(), bytes",
  "host-typed": "typed, a field of bytes",
  "host-text": "typed, a field of text",
};
const typedKinds = ["host-typed", "host-text"] as const;

interface Caller {
  readonly call: () => Promise<unknown>;
  readonly close: () => PromiseLike<void>;
}

function callerOf(kind: TypedKind, port: number): Caller {
  const options = { target: `127.0.0.1:${port}`, token: BENCH_TOKEN };
  const data = new Uint8Array(PAYLOAD_BYTES).fill(0x78);
  if (kind === "host-grpc") {
    const client = createClient(PredictServiceDefinition, options);
    return { call: () => client.predict({ data }), close: () => client[Symbol.asyncDispose]() };
  }
  const client = createClient(EchoServiceDefinition, options);
  const path = "x".repeat(PAYLOAD_BYTES);
  return {
    call: () => (kind === "host-typed" ? client.echoBytes({ data }) : client.echoText({ path })),
    close: () => client[Symbol.asyncDispose](),
  };
}

async function clientRound({ call }: Caller): Promise<number> {
  let left = CLIENT_CALLS;
  const loop = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / CLIENT_CALLS;
}

/** CPU of a client's call, each kind against a server of its own, in rounds that begin with another kind each. */
async function measureClients(): Promise<Map<TypedKind, number[]>> {
  const kinds: readonly TypedKind[] = ["host-grpc", ...typedKinds];
  const servers = kinds.map((kind) => startChild("./server-child.ts", [kind], 0));
  const figures = new Map(kinds.map((kind): [TypedKind, number[]] => [kind, []]));
  try {
    const started = await Promise.all(servers.map((server) => server.receive<{ port: number }>()));
    const callers = kinds.map((kind, index) => callerOf(kind, started[index]?.port ?? 0));
    for (let round = -2; round < ROUNDS; round++) {
      for (const step of kinds.keys()) {
        const index = (step + round + 2) % kinds.length;
        const [kind, caller] = [kinds[index], callers[index]];
        if (kind === undefined || caller === undefined) continue;
        const cpuUs = await clientRound(caller);
        if (round >= 0) figures.get(kind)?.push(cpuUs);
      }
    }
    await Promise.all(callers.map(({ close }) => close()));
    return figures;
  } finally {
    for (const server of servers) server.stop();
  }
}

/** What a typed unary method costs beside `process()` with the same number of bytes, on either side. */
export async function benchTyped(print: (line: string) => void): Promise<void> {
  const rows = await measure(["host-grpc", ...typedKinds], async () => {});
  print(`a typed unary method beside process(), ${PAYLOAD_BYTES} bytes each way, 64 in flight`);
  printRows(rows, print);
  for (const kind of typedKinds) {
    print(
      `  host, ${names[kind].padEnd(24)} : ${names["host-grpc"]}   ${ratio(rows, kind, "host-grpc")}   bar ${BAR}`,
    );
  }
  const clients = await measureClients();
  const bytes = clients.get("host-grpc") ?? [];
  for (const kind of typedKinds) {
    const own = clients.get(kind) ?? [];
    const paired = own.map((cpuUs, round) => cpuUs / (bytes[round] ?? Number.NaN));
    print(
      `  client, ${names[kind].padEnd(22)} : PredictService     ${spread(paired, 2)}   ${spread(own)} us : ${spread(bytes)} us`,
    );
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await benchTyped((line) => console.log(line));
}
