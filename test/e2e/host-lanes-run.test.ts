import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { flag, LaneHost } from "../support/lane-hosts.js";
import { lives, untilGone } from "../support/processes.js";
import {
  boundPort,
  type Program,
  programUrl,
  startNode,
  startProgram,
} from "../support/programs.js";
import { until } from "../support/until.js";

const kinds = {
  thread: { lane: "thread", workerThreads: 2 },
  process: { workerProcesses: 2 },
} as const;

interface Line {
  readonly msg: string;
  readonly pid: number;
  readonly lane?: number;
}

function linesOf(program: Program): readonly Line[] {
  const lines = program.output().trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Line);
}

/** Starts a program with two lanes, and waits until it is ready. */
async function startLanes(kind: keyof typeof kinds): Promise<{
  readonly program: Program;
  readonly host: LaneHost;
  readonly pids: readonly number[];
}> {
  const program = startProgram("host-lanes-run.mjs", [
    JSON.stringify({ ...kinds[kind], requestTimeoutMs: 60_000 }),
  ]);
  await program.said("service started");
  const host = new LaneHost(boundPort(program));
  const views = await host.views(2);
  const pids = views.map(({ pid }) => pid).filter((pid) => pid !== program.child.pid);
  expect(pids).toHaveLength(kind === "process" ? 2 : 0);
  return { program, host, pids };
}

async function untilRunning(host: LaneHost, calls: number): Promise<void> {
  await until(async () => {
    const lanes = await host.lanes();
    return lanes.reduce((all, { inFlight }) => all + inFlight, 0) === calls;
  });
}

describe.each(["thread", "process"] as const)("run() with %s lanes", (kind) => {
  it("lets calls in its lanes end on SIGTERM, then leaves nothing behind", async () => {
    const { program, host, pids } = await startLanes(kind);
    const go = flag();
    const calls = [host.call("wait", go.path), host.call("wait", go.path)];
    await untilRunning(host, 2);
    program.child.kill("SIGTERM");
    await program.said("stopping");
    go.raise();
    expect(await Promise.all(calls)).toEqual(["kept", "kept"]);
    expect(await program.exited).toBe(0);
    expect(pids.filter(lives)).toEqual([]);
    expect(
      linesOf(program)
        .slice(-3)
        .map(({ msg }) => msg),
    ).toEqual(["shutting down ... press Ctrl+C again to force quit", "stopping", "stopped"]);
  });

  it("quits at once on the second SIGINT, also with a lane that computes for ever", async () => {
    const { program, host, pids } = await startLanes(kind);
    const calls = [host.call("loop"), host.call("wait", flag().path)];
    const broken = Promise.allSettled(calls);
    await untilRunning(host, 2);
    program.child.kill("SIGINT");
    await program.said("press Ctrl+C again");
    program.child.kill("SIGINT");
    expect(await program.exited).toBe(130);
    expect((await broken).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await untilGone(...pids);
  });

  it("leaves nothing behind when it is killed, also a lane that computes for ever", async () => {
    const { program, host, pids } = await startLanes(kind);
    const broken = Promise.allSettled([host.call("loop")]);
    await untilRunning(host, 1);
    program.child.kill("SIGKILL");
    await program.exited;
    await broken;
    await untilGone(...pids);
  });

  it.each([
    ["heeds its signal", false],
    ["is deaf to its signal", true],
  ])(
    "stops in order on SIGTERM while an initialize() hangs that %s",
    async (_, deaf) => {
      const hold = flag();
      hold.raise();
      const options = {
        ...kinds[kind],
        modelConfig: { hold: hold.path, deaf },
        // Longer than the test may take: the host must not wait for it.
        terminationGracePeriodMs: 60_000,
      };
      const program = startProgram("host-lanes-run.mjs", [JSON.stringify(options)]);
      await program.said("builtin/term");
      program.child.kill("SIGTERM");
      expect(await program.exited).toBe(0);
      expect(linesOf(program).at(-1)?.msg).toBe("stopped");
    },
    10_000,
  );
});

describe("run() with process lanes", () => {
  it("replaces a lane that is killed from outside, and says which", async () => {
    const { program, host, pids } = await startLanes("process");
    const [first = 0] = pids;
    process.kill(first, "SIGKILL");
    await program.said("lane replaced");
    const after = (await host.views(2)).map(({ pid }) => pid);
    expect(after).toHaveLength(2);
    expect(after).not.toContain(first);
    const told = linesOf(program).filter(({ msg }) => msg.startsWith("lane died"));
    expect(told.map(({ msg, lane }) => [msg, lane])).toEqual([
      ["lane died: the lane was ended by SIGKILL", 0],
    ]);
  });

  it("runs a main module in TypeScript in its lanes too, under tsx", async () => {
    const program = startNode(["--import", "tsx", fileURLToPath(programUrl("host-lanes-tsx.ts"))]);
    await program.said("service started");
    const host = new LaneHost(boundPort(program));
    const answers = [await host.call("", "a"), await host.call("", "b")];
    const pids = answers.map((answer) => Number(answer.split(" from ")[1]));
    expect(answers).toEqual([`a from ${pids[0]}`, `b from ${pids[1]}`]);
    expect(new Set([...pids, program.child.pid]).size).toBe(3);
    program.child.kill("SIGTERM");
    expect(await program.exited).toBe(0);
    expect(pids.filter(lives)).toEqual([]);
  });
});
