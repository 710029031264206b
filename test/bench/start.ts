import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:http2";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { median, spread } from "../support/figures.js";

const programs = ["host", "nice-grpc"] as const;
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 7);
const SETTLE_MS = 700;

interface Figures {
  readonly startMs: number[];
  readonly residentMiB: number[];
}

/** Makes one empty Predict call, by hand. */
async function firstAnswer(port: number): Promise<void> {
  const session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request({
    ":method": "POST",
    ":path": "/inferwire.predict.v1.PredictService/Predict",
    "content-type": "application/grpc",
    te: "trailers",
    authorization: "bench-token",
  });
  stream.end(Buffer.alloc(5));
  const [trailers] = (await once(stream, "trailers")) as [Record<string, string>];
  if (trailers["grpc-status"] !== "0") throw new Error(`status ${trailers["grpc-status"]}`);
  session.destroy();
}

function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

async function round(program: string, figures: Figures): Promise<void> {
  const script = fileURLToPath(new URL(`programs/${program}.mjs`, import.meta.url));
  const started = performance.now();
  const child = spawn(process.execPath, [script], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  await firstAnswer(port);
  figures.startMs.push(performance.now() - started);
  await wait(SETTLE_MS);
  figures.residentMiB.push(residentMiB(child.pid ?? 0));
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Start to first answer, and memory when idle, of a host and of bare nice-grpc with pino; Linux only. */
export async function benchStart(print: (line: string) => void): Promise<void> {
  const all = new Map(programs.map((p) => [p, { startMs: [], residentMiB: [] } as Figures]));
  for (let r = 0; r < ROUNDS; r++) {
    for (const [program, figures] of all) await round(program, figures);
  }
  print(`start to first answer, and resident memory ${SETTLE_MS} ms later, ${ROUNDS} rounds`);
  for (const [program, { startMs, residentMiB: memory }] of all) {
    print(`  ${program.padEnd(10)} ${spread(startMs, 0).padEnd(18)} ms   ${spread(memory)} MiB`);
  }
  const of = (program: (typeof programs)[number], key: keyof Figures): number =>
    median(all.get(program)?.[key] ?? []);
  const ratio = (key: keyof Figures): string => (of("host", key) / of("nice-grpc", key)).toFixed(2);
  print(
    `  host : nice-grpc + pino           ${ratio("startMs")} in time, ${ratio("residentMiB")} in memory`,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await benchStart((line) => console.log(line));
}
