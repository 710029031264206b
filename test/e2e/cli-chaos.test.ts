import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { childrenOf } from "../../src/cli/chaos/processes.js";
import { runCli, scratchFolder, startCli } from "../support/cli.js";
import { programUrl } from "../support/programs.js";
import { until } from "../support/until.js";

interface SeenBar {
  readonly what: string;
  readonly owner: string;
  readonly bar: string;
  readonly figure: string;
  readonly met: boolean;
}

interface SeenRun {
  readonly seed: number;
  readonly faults: readonly string[];
  readonly calls: number;
  readonly interrupted: boolean;
  readonly bars: readonly SeenBar[];
}

const good = fileURLToPath(programUrl("chaos-good.mjs"));
const bad = fileURLToPath(programUrl("chaos-bad.mjs"));
const sentiment = fileURLToPath(programUrl("chaos-sentiment.ts"));
const threshold = fileURLToPath(new URL("../../examples/threshold/main.js", import.meta.url));
const limit = { timeout: 60_000 };

/** A run with one short fault, unless other flags are given behind. */
async function chaos(
  module: string,
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  const args = ["--duration", "1", "--seed", "7", "--data", "hello", "--faults", "cancel"];
  const { code, stdout, stderr } = await runCli(["chaos", module, ...args, ...flags, "--json"], {
    env,
  });
  const run = seenIn(stdout);
  return { code, run, stderr, missed: missedIn(run) };
}

function seenIn(stdout: string): Partial<SeenRun> {
  return JSON.parse(stdout || "{}") as Partial<SeenRun>;
}

/** Bars that were missed, but for those of time and memory: what these come to is the machine's matter, too. */
function missedIn({ bars = [] }: Partial<SeenRun>): readonly SeenBar[] {
  return bars.filter(({ met, bar }) => !met && !bar.startsWith("at most"));
}

/** Processes whose command line names a text. */
function processesWith(text: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(text);
    } catch {
      return false;
    }
  });
}

/** Lanes of the host that a command line has started. */
function lanesOf(pid: number | undefined): readonly number[] {
  return pid === undefined ? [] : childrenOf(pid).flatMap(childrenOf);
}

/** Whether one of these processes is stopped. */
function stopped(pids: readonly number[]): boolean {
  return pids.some((pid) => / T /.test(readFileSync(`/proc/${pid}/stat`, "latin1")));
}

describe.runIf(process.platform === "linux")("inferwire chaos", () => {
  it("finds nothing wrong with a good processor, whatever is done to it", limit, async () => {
    const faults = "kill,stop,overload,cancel,deadlines,broken,slow,restart";
    const { run, missed, stderr } = await chaos(good, ["--duration", "2", "--faults", faults]);
    expect([missed, stderr]).toEqual([[], ""]);
    expect(run).toMatchObject({ seed: 7, interrupted: false });
    expect(run.faults).toHaveLength(8);
    expect(run.calls).toBeGreaterThan(300);
    const compared = run.bars?.find(({ what }) => what.startsWith("answers unlike"));
    expect(compared?.figure).toMatch(/^0 of [1-9]/);
    expect(processesWith(good)).toEqual([]);
  });

  it.each([
    ["throws", "calls that the processor failed", /PROCESSOR_THREW/],
    ["hangs", "lanes that ended without a fault", /^[1-9]/],
    ["leaks", "growth of the lanes' memory", /MiB$/],
  ])("names the fault of a processor that %s", limit, async (deed, what, figure) => {
    const { code, run } = await chaos(bad, [], { BAD: deed });
    expect(code).toBe(5);
    const named = run.bars?.find((bar) => bar.what.startsWith(what));
    expect(named).toMatchObject({
      owner: "processor",
      figure: expect.stringMatching(figure),
      met: false,
    });
  });

  it("asks a typed method with JSON, of a service in TypeScript", limit, async () => {
    const data = '{"text":"a fine day"}';
    const { run, missed } = await chaos(sentiment, ["--method", "Classify", "--data", data]);
    expect(missed).toEqual([]);
    const compared = run.bars?.find(({ what }) => what.startsWith("answers unlike"));
    expect(compared?.figure).toMatch(/^0 of [1-9]/);
  });

  it("takes a module that runs its processor itself", limit, async () => {
    const { run, missed, stderr } = await chaos(threshold, ["--data", "10 20"]);
    expect([missed, stderr]).toEqual([[], ""]);
    expect(run.calls).toBeGreaterThan(20);
  });

  it("has a table also when the host does not come back", limit, async () => {
    const env = { BAD: "starts once", FIRST_HOST: scratchFolder().path("first-host") };
    const { code, missed, stderr } = await chaos(bad, ["--faults", "restart"], env);
    expect([code, stderr]).toEqual([6, ""]);
    expect(missed).toMatchObject([
      { what: "times that it did not recover", figure: expect.stringContaining("once is enough") },
    ]);
  });

  it("ends with Ctrl+C, with what it has measured and no process left", limit, async () => {
    const args = ["chaos", bad, "--duration", "3", "--faults", "stop", "--json"];
    const program = startCli(args, { BAD: "answers anew" });
    await until(() => stopped(lanesOf(program.child.pid)), 30_000);
    program.child.kill("SIGINT");
    const pressedMs = performance.now();
    await program.exited;
    expect(performance.now() - pressedMs).toBeLessThan(10_000);
    const run = seenIn(
      program
        .output()
        .split("\n")
        .find((line) => line.startsWith("{")) ?? "",
    );
    expect(run.interrupted).toBe(true);
    expect(missedIn(run)).toEqual([]);
    const compared = run.bars?.find(({ what }) => what === "answers as before the faults");
    expect(compared).toMatchObject({ bar: "skipped: answers differ without faults" });
    await until(() => processesWith(bad).length === 0, 5_000);
  });

  it("says what is wrong with a processor that cannot start", limit, async () => {
    const { code, stderr } = await chaos(bad, [], { BAD: "cannot start" });
    expect(code).toBe(5);
    expect(stderr).toMatch(/INITIALIZE_FAILED.*did not become ready/);
  });

  it("reads a payload before it starts anything", limit, async () => {
    const { code, stdout, stderr } = await runCli(["chaos", bad, "--data", "@nowhere"]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/--data names nowhere/);
  });
});
