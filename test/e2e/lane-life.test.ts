import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/core/invocation.js";
import type { Lane } from "../../src/lane/lane.js";
import {
  answerOf,
  callOf,
  clock,
  jsonOf,
  lanesOf,
  servingError,
  startLane,
} from "../support/built-lanes.js";
import { lives, untilGone } from "../support/processes.js";
import { programUrl, startProgram } from "../support/programs.js";

const remote = ["thread", "process"] as const;

const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** Waits until a lane computes, and so answers nothing. */
async function untilSilent(lane: Lane): Promise<void> {
  while (lane.silentMs < 30) {
    lane.ask();
    await aMoment();
  }
}

/** A call that computes in its lane until it is let go. */
function holding(lane: Lane): { readonly call: Promise<Outcome>; letGo(): void } {
  const file = join(mkdtempSync(join(tmpdir(), "inferwire-")), "go");
  const call = lane.run(callOf("hold", file));
  const removed = call.finally(() => rmSync(dirname(file), { recursive: true }));
  return { call: removed, letGo: () => writeFileSync(file, "") };
}

describe.each(remote)("%s lane: its end", (kind) => {
  it.each([
    ["exit", "3", "the lane ended with exit code 3"],
    ["reject", "", "the lane ended with exit code 1"],
  ])("by %s(%s) ends every call in it, with the cause", async (path, data, text) => {
    const { lane } = await startLane(kind);
    const other = expect(lane.run(callOf("abort"))).rejects.toMatchObject({ reason: "LANE_DIED" });
    await jsonOf(lane, "seen");
    const call = expect(lane.run(callOf(path, data))).rejects.toMatchObject({
      reason: "LANE_DIED",
      code: 14,
      message: text,
    });
    await Promise.all([call, other]);
    expect(await lane.died).toMatchObject({ message: text, details: { lane: 0, kind } });
    await expect(lane.run(callOf("echo"))).rejects.toMatchObject({ reason: "LANE_DIED" });
    expect(await lane.isReady(new AbortController().signal)).toBe(false);
    lane.ask();
    await lane.close(1_000);
  });

  it("comes by kill() also out of an endless loop", async () => {
    const { lane } = await startLane(kind);
    const reason = servingError("LANE_DIED", "it said nothing");
    const call = expect(lane.run(callOf("loop"))).rejects.toBe(reason);
    await untilSilent(lane);
    lane.kill(reason);
    await call;
    expect(await lane.died).toBe(reason);
  });

  it("waits for calls in progress when it is closed", async () => {
    const { lane, lines } = await startLane(kind);
    const call = lane.run(callOf("wait", "slow"));
    await lane.close(10_000);
    expect(Buffer.from((await call).payloads as Uint8Array).toString()).toBe("slow");
    expect(lines.map(({ message }) => message)).toEqual(["disposed"]);
  });

  it("comes after graceMs when it is closed and a call does not end", async () => {
    const { lane } = await startLane(kind);
    const call = expect(lane.run(callOf("loop"))).rejects.toMatchObject({
      reason: "ABORTED_BY_STOP",
    });
    await lane.close(50);
    await call;
  });

  it("comes when it is closed while initialize() hangs", async () => {
    const { lanes } = await lanesOf(kind, { modelPath: "hang" });
    const lane = lanes(0);
    const start = expect(lane.start()).rejects.toMatchObject({ reason: "DRAINING" });
    await lane.close(50);
    await start;
  });

  it("by a pool leaves nothing behind", async () => {
    const handles = process.getActiveResourcesInfo().length;
    const { lanes } = await lanesOf(kind, { count: 2 });
    const all = [lanes(0), lanes(1)];
    await Promise.all(all.map((lane) => lane.start()));
    expect(process.getActiveResourcesInfo().length).toBeGreaterThan(handles);
    await Promise.all(all.map((lane) => lane.close(5_000)));
    for (const { pid } of all) if (pid !== undefined) expect(lives(pid)).toBe(false);
    while (process.getActiveResourcesInfo().length > handles) await aMoment();
  });
});

describe.each(remote)("%s lane: a call that waits", (kind) => {
  it("is not begun when it was given up, or its time passed, before its turn came", async () => {
    const { lane } = await startLane(kind);
    const { call: first, letGo } = holding(lane);
    const given = callOf("start", "given up");
    const late = callOf("start", "late", { deadlineMs: clock.now() + 20 });
    const calls = [
      expect(lane.run(given)).rejects.toMatchObject({ reason: "CANCELLED" }),
      expect(lane.run(late)).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED" }),
    ];
    given.giveUp(servingError("CANCELLED", "gone"));
    while (clock.now() <= late.deadlineMs) await aMoment();
    letGo();
    await Promise.all([first, ...calls]);
    expect(await jsonOf(lane, "seen")).toMatchObject({ started: [] });
  });

  it("is silent while the one in front computes, and not longer", async () => {
    const { lane } = await startLane(kind);
    const { call, letGo } = holding(lane);
    await untilSilent(lane);
    letGo();
    await call;
    expect(lane.silentMs).toBe(0);
  });
});

describe("thread lane", () => {
  it("that runs out of memory ends its calls, not the host", async () => {
    setFlagsFromString("--max-old-space-size=64");
    const { lane } = await startLane("thread");
    setFlagsFromString("--max-old-space-size=0");
    const call = lane.run(callOf("memory"));
    await expect(call).rejects.toMatchObject({ reason: "LANE_DIED" });
    expect(await lane.died).toMatchObject({
      message: "the lane ran out of memory",
      details: { outOfMemory: true },
    });
  });
});

describe("process lane", () => {
  it("that is killed ends its calls with the signal", async () => {
    const { lane } = await startLane("process");
    const call = expect(lane.run(callOf("abort"))).rejects.toMatchObject({
      reason: "LANE_DIED",
      message: "the lane was ended by SIGKILL",
      details: { signal: "SIGKILL", lanePid: lane.pid },
    });
    await jsonOf(lane, "seen");
    process.kill(lane.pid ?? 0, "SIGKILL");
    await call;
  });

  it("leaves SIGINT and SIGTERM to its host", async () => {
    const { lane } = await startLane("process");
    for (const signal of ["SIGINT", "SIGTERM"]) process.kill(lane.pid ?? 0, signal);
    expect(await answerOf(lane, "echo", "still here")).toBe("still here");
  });

  it("never loads the engine", async () => {
    const { lane } = await startLane("process");
    const modules = await jsonOf<readonly string[]>(lane, "modules");
    expect(modules.some((file) => file.includes("/nice-grpc-common/"))).toBe(true);
    expect(modules.filter((file) => /\/(grpc-js|nice-grpc|pino|prom-client)\//.test(file))).toEqual(
      [],
    );
  });

  it.each([
    ["is killed", "SIGKILL", "abort", ""],
    ["is killed while the lane computes", "SIGKILL", "block", "300"],
    ["is killed while the lane computes for ever", "SIGKILL", "loop", ""],
    ["exits although the lane computes for ever", "SIGTERM", "loop", ""],
  ] as const)("ends when its host %s", async (_, signal, path, data) => {
    const host = startProgram("lane-host.mjs", [path, data]);
    await host.said(".");
    const pid = Number(/lane=(\d+)/.exec(host.output())?.[1]);
    expect(lives(pid)).toBe(true);
    host.child.kill(signal);
    await host.exited;
    await untilGone(pid);
  });
});

describe("a main module in TypeScript", () => {
  it.each([
    ["tsx", [createRequire(import.meta.url).resolve("tsx/cli")]],
    ["node --import tsx", ["--import", "tsx"]],
  ])("that %s runs is run by its lanes too", (_, options) => {
    const main = fileURLToPath(programUrl("lane-tsx.ts"));
    const { stdout } = spawnSync(process.execPath, [...options, main], { encoding: "utf8" });
    expect(stdout).toBe("thread: from tsx\nprocess: from tsx\n");
  });

  it("without tsx is refused, with what to install", async () => {
    const folder = mkdtempSync(join(tmpdir(), "inferwire-"));
    const file = join(folder, "model.mts");
    writeFileSync(file, "export const processor = {};");
    const { lanes } = await lanesOf("process", { module: file });
    const lane = lanes(0);
    await expect(lane.start()).rejects.toMatchObject({
      reason: "INITIALIZE_FAILED",
      message: expect.stringMatching(/is TypeScript, .*npm install tsx/),
    });
    await lane.close(1_000);
    rmSync(folder, { recursive: true });
  });
});

describe.each(remote)("%s lane: its module", (kind) => {
  it("sees the arguments of its host, as if it were the main one, and its environment", async () => {
    process.env["TEST_LANE"] = "handed on";
    const { lane } = await startLane(kind);
    const { argv, env } = await jsonOf<{ argv: readonly string[]; env: string }>(lane, "context");
    expect(argv).toEqual([
      new URL(programUrl("lane-processor.mjs")).pathname,
      ...process.argv.slice(2),
    ]);
    expect(env).toBe("handed on");
    delete process.env["TEST_LANE"];
  });

  it.each([
    ["a CommonJS module's instance", "lane-exports.cjs", "from CommonJS"],
    ["a run() that comes later", "lane-later.mjs", "later"],
    ["TypeScript", "lane-typed.ts", "from TypeScript"],
  ])("may be %s", async (_, file, answer) => {
    const { lane } = await startLane(kind, { module: programUrl(file) });
    expect(await answerOf(lane, "")).toBe(answer);
  });

  it("may run() its processor, and goes on when the lane is closed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "inferwire-"));
    const file = join(folder, "end.txt");
    process.env["TEST_LANE_FILE"] = file;
    const { lane } = await startLane(kind, { module: programUrl("lane-main.mjs") });
    delete process.env["TEST_LANE_FILE"];
    expect(await jsonOf(lane, "")).toMatchObject({
      argv: [new URL(programUrl("lane-main.mjs")).pathname, ...process.argv.slice(2)],
    });
    await lane.close(5_000);
    expect(readFileSync(file, "utf8")).toBe("disposed\nrun() is over\n");
    rmSync(folder, { recursive: true });
  });

  it.each([
    [
      "that has no processor",
      programUrl("lane-nothing.mjs"),
      /has no processor: expected a default/,
    ],
    ["that does not exist", programUrl("nowhere.mjs"), /could not be loaded: Cannot find module/],
    ["that starts a host", programUrl("lane-starts.mjs"), /a module of its own, export it there/],
  ])("%s fails the start", async (_, module, text) => {
    const { lanes } = await lanesOf(kind, { module });
    const lane = lanes(0);
    const start = expect(lane.start()).rejects.toMatchObject({
      reason: "INITIALIZE_FAILED",
      message: expect.stringMatching(text),
    });
    await start;
    await lane.close(1_000);
  });

  it("is refused when it is no URL and no absolute path, or the configuration cannot cross", async () => {
    const wrong = { reason: "INVALID_OPTION" };
    await expect(lanesOf(kind, { module: "lane.mjs" })).rejects.toMatchObject(wrong);
    await expect(lanesOf(kind, { modelConfig: () => {} })).rejects.toMatchObject(wrong);
  });
});
