import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BenchResult } from "../../src/cli/bench/result.js";
import { cliFile, runCli } from "../support/cli.js";
import { startTestHost } from "../support/hosts.js";
import { startNode } from "../support/programs.js";

const UNARY = "inferwire.predict.v1.PredictService/Predict";
const STREAM = "inferwire.predict.v1.PredictService/PredictStream";
const hello = JSON.stringify({ data: Buffer.from("hello").toString("base64") });
/** Half a second, which is a second of its own in the figures. */
const short = ["--duration", "0.5", "--warm-up", "0.1", "--connections", "2", "--data", hello];

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "inferwire-bench-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const bench = (...args: readonly string[]) => runCli(["bench", ...args], { cwd: folder });

/** The result that `--json` has printed. */
function resultOf(stdout: string): BenchResult {
  const result = JSON.parse(stdout) as BenchResult;
  const { scheduled, succeeded, failed, notSent } = result.calls;
  expect(succeeded + failed + notSent).toBe(scheduled);
  const inSeconds = result.seconds.reduce((sum, { calls }) => sum + calls, 0);
  expect(inSeconds).toBe(scheduled);
  return result;
}

describe("inferwire bench", () => {
  it("makes the calls that are due, and every count adds up", async () => {
    let calls = 0;
    const { port } = await startTestHost({
      process: (data) => {
        calls++;
        return data;
      },
    });
    const run = await bench(`127.0.0.1:${port}`, UNARY, "--rate", "200", ...short, "--json");
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const result = resultOf(run.stdout);
    expect(result.calls).toEqual({ scheduled: 100, succeeded: 100, failed: 0, notSent: 0 });
    // A tenth of a second of warm-up besides.
    expect(calls).toBe(120);
    expect(result.settings).toMatchObject({ method: UNARY, stream: false, requestBytes: 7 });
    expect(result.bytes).toEqual({ sent: 700, received: 700 });
    expect(result.instances).toEqual([{ instance: `127.0.0.1:${port}`, calls: 100, failed: 0 }]);
    const { p50, p99, max } = result.latencyUs;
    expect(p50).toBeGreaterThan(0);
    expect(p99).toBeGreaterThanOrEqual(p50);
    expect(max).toBeGreaterThanOrEqual(p99);
    expect(result.firstMessageUs).toBeNull();
  });

  it("shows people a table", async () => {
    const { port } = await startTestHost();
    const run = await bench(`127.0.0.1:${port}`, UNARY, ...short);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain("open loop, 50 calls a second, constant arrivals");
    expect(run.stdout).toMatch(/calls due +25 in 0\.5 s/);
    expect(run.stdout).toMatch(/p99\.9 +\d/);
    expect(run.stdout).toMatch(new RegExp(`127\\.0\\.0\\.1:${port} +25 +100\\.0 %`));
  });

  it("shares the calls out over instances by weight", async () => {
    const [first, second] = [await startTestHost(), await startTestHost()];
    const target = `static:///127.0.0.1:${first.port},127.0.0.1:${second.port}?weight=300,100`;
    const run = await bench(target, UNARY, "--rate", "160", ...short, "--json");
    const { instances, calls } = resultOf(run.stdout);
    expect(calls.succeeded).toBe(80);
    const light = instances.find(({ instance }) => instance.endsWith(`:${second.port}`));
    expect(light?.calls).toBeGreaterThan(10);
    expect(light?.calls).toBeLessThan(30);
  });

  it("measures a stream to its first message and to its end", async () => {
    const { port } = await startTestHost({
      async *process(data) {
        yield data;
        await new Promise((resolve) => setTimeout(resolve, 50));
        yield data;
      },
    });
    const run = await bench(`127.0.0.1:${port}`, STREAM, "--rate", "40", ...short, "--json");
    const result = resultOf(run.stdout);
    expect(result).toMatchObject({ messages: 40, settings: { stream: true } });
    expect(result.latencyUs.p50 - (result.firstMessageUs?.p50 ?? 0)).toBeGreaterThan(40_000);
  });

  it("gives streams up that do not end in time", async () => {
    const { port } = await startTestHost({
      async *process(data, call) {
        yield data;
        await once(call.signal, "abort");
      },
    });
    const args = ["--rate", "20", ...short, "--timeout", "200", "--json"];
    const run = await bench(`127.0.0.1:${port}`, STREAM, ...args);
    expect(run.code).toBe(4);
    const { calls, errors } = resultOf(run.stdout);
    expect(calls).toMatchObject({ scheduled: 10, failed: 10 });
    expect(errors).toMatchObject([{ reason: "DEADLINE_EXCEEDED", calls: 10 }]);
  });

  it("keeps calls in progress with --closed, and says what that is worth", async () => {
    const { port } = await startTestHost({
      process: (data) => new Promise((resolve) => setTimeout(() => resolve(data), 20)),
    });
    const shown = await bench(`127.0.0.1:${port}`, UNARY, "--closed", "4", ...short);
    expect(shown.stdout).toContain("CLOSED loop, 4 calls in progress");
    const run = await bench(`127.0.0.1:${port}`, UNARY, "--closed", "4", ...short, "--json");
    const { calls, settings } = resultOf(run.stdout);
    expect(settings).toMatchObject({ loop: "closed", maxInFlight: 4 });
    expect(calls.succeeded).toBeGreaterThan(4);
    expect(calls.succeeded).toBeLessThanOrEqual(4 * 26);
  });

  it("counts failures by reason, and ends well as long as some calls succeed", async () => {
    let calls = 0;
    const { port } = await startTestHost({
      process: (data) => {
        if (calls++ % 2 === 0) throw new Error("every other one");
        return data;
      },
    });
    const args = ["--rate", "100", ...short, "--warm-up", "0", "--json"];
    const run = await bench(`127.0.0.1:${port}`, UNARY, ...args);
    expect(run.code).toBe(0);
    const result = resultOf(run.stdout);
    expect(result.calls).toEqual({ scheduled: 50, succeeded: 25, failed: 25, notSent: 0 });
    expect(result.errors).toMatchObject([{ code: "UNKNOWN", calls: 25 }]);
    expect(result.warnings.join()).toContain("25 calls failed");
  });

  it("saves, compares, and reports on one page that needs nothing from elsewhere", async () => {
    const { port } = await startTestHost();
    const target = `127.0.0.1:${port}`;
    const saved = await bench(target, UNARY, ...short, "--save", "kept/before.json");
    expect(saved.code).toBe(0);
    const args = ["--compare", "kept/before.json", "--report", "after.html"];
    const run = await bench(target, UNARY, ...short, ...args);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain("Too short to judge: 1 seconds");
    const page = await readFile(join(folder, "after.html"), "utf8");
    expect(page).toContain("<svg");
    expect(page).toContain("Compared with the run before");
    expect(page).not.toMatch(/<(script|link|img|iframe)|\b(src|href)\s*=|url\(|@import|https?:/i);
  });

  it("ends early with Ctrl+C, and shows what it has measured", async () => {
    const { port } = await startTestHost();
    const saved = join(folder, "early.json");
    const args = ["--rate", "50", "--warm-up", "0", "--duration", "600", "--save", saved];
    const program = startNode([cliFile, "bench", `127.0.0.1:${port}`, UNARY, ...args]);
    await program.said(" calls, ");
    program.child.kill("SIGINT");
    expect(await program.exited).toBe(0);
    expect(program.output()).toContain("(ended early)");
    const result = resultOf(await readFile(saved, "utf8"));
    expect(result.interrupted).toBe(true);
    expect(result.calls.succeeded).toBeGreaterThan(0);
    expect(result.measuredS).toBeLessThan(600);
  });

  it("is given up with Ctrl+C while it waits for the list", async () => {
    const silent = createServer(() => {});
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const target = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/upstreams/echo`;
    const asked = once(silent, "connection");
    const program = startNode([cliFile, "bench", target, UNARY, "--timeout", "60000"]);
    await asked;
    program.child.kill("SIGINT");
    expect(await program.exited).toBe(4);
    expect(program.output()).toContain("CANCELLED");
    silent.close();
    silent.closeAllConnections();
  });

  it("fails when every call has failed, with the figures all the same", async () => {
    const { port } = await startTestHost({
      process: () => {
        throw new Error("never");
      },
    });
    const run = await bench(`127.0.0.1:${port}`, UNARY, ...short, "--rate", "20");
    expect(run.code).toBe(4);
    expect(run.stdout).toMatch(/failed +10/);
    expect(run.stderr).toContain("all of 10 calls failed, most with");
  });

  it("says where there is no instance", async () => {
    const empty = "http://127.0.0.1:1/api/v1/servicediscovery/upstreams/echo";
    const run = await bench(empty, UNARY, ...short, "--timeout", "500");
    expect(run.code).toBe(3);
    expect(run.stdout).toBe("");
  });

  it.each([
    [["--rate", "0"], "--rate is 0"],
    [["--save", "other.json/run.json"], "--save other.json/run.json cannot be written"],
    [["--compare", "other.json"], "is no run that this version can read"],
    [["--data", `{"dat":1}`], "dat"],
  ])("refuses %j before anything is sent", async (args, message) => {
    await writeFile(join(folder, "other.json"), `{"kind":"inferwire bench","version":1}`);
    const { port } = await startTestHost();
    const run = await bench(`127.0.0.1:${port}`, UNARY, ...args);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toContain(message);
  });

  it("refuses methods that are not there, and those that take streams", async () => {
    const { port } = await startTestHost();
    const target = `127.0.0.1:${port}`;
    const unknown = await bench(target, "PredictService/Guess", ...short);
    expect(unknown).toMatchObject({ code: 2, stdout: "" });
    expect(unknown.stderr).toContain("there is no method PredictService/Guess");
    const stream = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    const streamed = await bench(target, stream, ...short);
    expect(streamed.code).toBe(2);
    expect(streamed.stderr).toContain("takes a stream");
  });
});
