import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { checkOneOf, seen } from "../../core/options.js";
import { servingError } from "../../core/serving-error.js";
import type { CliContext } from "../command.js";
import { numberOf } from "../flag-values.js";
import type { ChaosFlags } from "./flags.js";
import { type FaultName, faultNames, runSeconds } from "./settings.js";

/** What a run was asked for. */
export interface ChaosPlan {
  /** URL of the module. */
  readonly module: string;
  readonly durationMs: number;
  /** Time after which it is ended, whatever it waits for. */
  readonly limitMs: number;
  readonly seed: number;
  readonly faults: readonly FaultName[];
}

/** A processor that takes its time makes a run longer: twice what was asked for, and what starts and stops may take. */
const LIMIT_TIMES = 2;
const LIMIT_MS = 60_000;
const SEEDS = { min: 0, max: 2 ** 31 - 1 };

/**
 * Reads the flags of a run.
 *
 * @param random - a number in [0, 1), for the seed when none is given
 * @throws ConfigError `INVALID_OPTION` naming the flag.
 */
export function chaosPlan(
  module: string,
  flags: ChaosFlags,
  { folder }: Pick<CliContext, "folder">,
  random: () => number,
): ChaosPlan {
  const path = resolve(folder, module);
  if (!existsSync(path)) {
    throw servingError("INVALID_OPTION", `there is no module ${seen(path)}`);
  }
  const { duration, seed, faults } = flags;
  const names = faults?.split(",").map((name) => checkOneOf(name.trim(), "--faults", faultNames));
  const durationMs = 1_000 * (numberOf(duration, "--duration", runSeconds) ?? runSeconds.usual);
  return {
    module: pathToFileURL(path).href,
    durationMs,
    limitMs: LIMIT_TIMES * durationMs + LIMIT_MS,
    seed: numberOf(seed, "--seed", SEEDS) ?? Math.floor(random() * SEEDS.max),
    faults: names === undefined ? faultNames : faultNames.filter((name) => names.includes(name)),
  };
}
