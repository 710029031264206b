import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { servingError } from "../core/serving-error.js";
import type { LaneFactory } from "./lane.js";
import { laneArguments } from "./lane-arguments.js";
import type { StartOrder } from "./lane-message.js";
import { type RemoteLaneSettings, startOrders } from "./lane-options.js";
import { createProcessLink } from "./process-link.js";
import { createRemoteLane, type LaneBody, type LaneExit } from "./remote-lane.js";

const entry: string = fileURLToPath(new URL("./process-entry.js", import.meta.url));

/**
 * Makes the factory of lanes in child processes: each with its own `initialize()`, and no crash of one touches another.
 * A child talks over its fourth descriptor; stdout, stderr and the environment are the host's.
 *
 * @throws ConfigError `INVALID_OPTION` for a module or a model's configuration that no lane can have.
 */
export function processLanes(settings: RemoteLaneSettings): LaneFactory {
  const orderOf = startOrders("process", settings);
  return (index) => {
    const order = orderOf(index);
    return createRemoteLane(spawnBody(order), { ...settings, order });
  };
}

/** Options of Node that say what to run, or take a port: a lane's process runs something else, beside its host. */
const OWN_OPTION =
  /^--(inspect|debug|eval|print|interactive|input-type|test|watch|check)(-[a-z-]+)?(=|$)/;
/** As above, in one letter. */
const OWN_LETTER = /^-(e|p|pe|i|c)$/;
/** Those of both whose value is the next argument, unless it stands behind `=`. */
const TAKES_NEXT =
  /^(-e|-p|-pe|--eval|--print|--input-type|--(inspect|debug)-port|--inspect-publish-uid|--watch-(path|kill-signal)|--test-(reporter(-destination)?|(name|skip)-pattern|concurrency|timeout|shard|isolation|global-setup|coverage-[a-z]+))$/;

/** Undoes what NODE_OPTIONS may say of the inspector: its port is the host's, and a lane would wait for a debugger. */
const NO_INSPECTOR: readonly string[] = ["inspect", "inspect-brk", "inspect-wait"]
  // Node refuses to start with an option that its version does not know.
  .filter((name) => process.allowedNodeEnvironmentFlags.has(`--${name}`))
  .map((name) => `--no-${name}`);

/** The options of Node for a lane's process: those of the host, but for the ones that are the host's alone. */
export function laneExecArguments(own: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let skip = false;
  for (const argument of own) {
    const value = skip;
    skip = TAKES_NEXT.test(argument);
    if (!value && !OWN_OPTION.test(argument) && !OWN_LETTER.test(argument)) kept.push(argument);
  }
  return [...kept, ...NO_INSPECTOR];
}

/** Children that live; what ends the host without a word must not leave one behind that computes for ever. */
const living = new Set<ChildProcess>();

function killLiving(): void {
  for (const child of living) child.kill("SIGKILL");
}

function spawnBody({ module }: StartOrder): LaneBody {
  const argv = laneArguments(module, process.argv);
  const child = spawn(process.execPath, [...laneExecArguments(process.execArgv), entry, ...argv], {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  const exited = exitOf(child);
  const socket = child.stdio[3];
  if (!(socket instanceof Socket) || child.pid === undefined) {
    throw servingError("LANE_DIED", "no process for a lane could be started");
  }
  if (living.size === 0) process.on("exit", killLiving);
  living.add(child);
  return {
    kind: "process",
    pid: child.pid,
    link: createProcessLink(socket),
    exited,
    kill: () => child.kill("SIGKILL"),
  };
}

function exitOf(child: ChildProcess): Promise<LaneExit> {
  return new Promise((resolve) => {
    child.on("error", (cause) => {
      if (child.pid === undefined) resolve({ text: "could not be started", details: {}, cause });
    });
    child.on("exit", (exitCode, signal) => {
      living.delete(child);
      if (living.size === 0) process.off("exit", killLiving);
      if (signal === null) {
        resolve({ text: `ended with exit code ${exitCode}`, details: { exitCode } });
      } else {
        resolve({ text: `was ended by ${signal}`, details: { signal } });
      }
    });
  });
}
