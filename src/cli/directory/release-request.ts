import { groupOf } from "../../core/group-name.js";
import { checkServiceName } from "../../core/instance.js";
import { seen } from "../../core/options.js";
import { servingError } from "../../core/serving-error.js";
import { durationOf, numberOf } from "../flag-values.js";
import { DEFAULT_STEP_POINTS, type DirectoryReleaseFlags } from "./release-flags.js";

/** What a release is to do. */
export interface ReleaseRequest {
  readonly group: string;
  /** Without the group. */
  readonly member: string;
  readonly percent: number;
  /** 0: at once. */
  readonly overMs: number;
  /** Percent points of a step at most. */
  readonly points: number;
  readonly force: boolean;
}

const percents = { min: 0, max: 100, integer: false };
const stepPoints = { min: 0.1, max: 100, integer: false };

/**
 * Reads what a release is asked for.
 *
 * @throws ConfigError `INVALID_OPTION`
 */
export function releaseRequest(group: string, flags: DirectoryReleaseFlags): ReleaseRequest {
  const { to, percent, over, step, force = false } = flags;
  checkServiceName(group, "SERVICE");
  const ofGroup = groupOf(group);
  if (ofGroup !== undefined) {
    throw servingError(
      "INVALID_OPTION",
      `SERVICE is ${seen(group)}, a member of a group, expected the group: ${ofGroup}`,
    );
  }
  const overMs = durationOf(over, "--over") ?? 0;
  if (step !== undefined && overMs === 0) {
    throw servingError("INVALID_OPTION", "--step is given without --over");
  }
  return {
    group,
    member: memberOf(group, to ?? ""),
    percent: numberOf(percent, "--percent", percents) ?? 0,
    overMs,
    points: numberOf(step, "--step", stepPoints) ?? DEFAULT_STEP_POINTS,
    force,
  };
}

function memberOf(group: string, to: string): string {
  checkServiceName(to, "--to");
  const of = groupOf(to);
  if (of === undefined) return to;
  if (of === group) return to.slice(group.length + 1);
  throw servingError(
    "INVALID_OPTION",
    `--to is ${seen(to)}, expected a member of ${group}, such as ${group}.v2`,
  );
}
