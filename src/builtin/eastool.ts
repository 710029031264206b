import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";
import type { CallAbort } from "../core/call-abort.js";
import { didYouMean } from "../core/nearest.js";
import { servingError } from "../core/serving-error.js";
import type { HostView } from "./host-view.js";

/** What can be reported. */
export type ReportName =
  | "config"
  | "routes"
  | "connections"
  | "errors"
  | "cpu-profile"
  | "heap-summary";

/** What a diagnosis was asked for. */
export interface EastoolQuestion {
  /** Null when none was named. */
  readonly report: string | null;
  /** How long to observe, for profiles; undefined: {@link DEFAULT_PROFILE_SECONDS}. */
  readonly seconds: number | undefined;
  /** Aborted when the caller leaves. */
  readonly abort: CallAbort;
}

/** How long a profile is recorded unless the caller says so, in seconds. */
export const DEFAULT_PROFILE_SECONDS = 5;

/** Longest profile, in seconds. */
export const MAX_PROFILE_SECONDS = 60;

type Report = (host: HostView, question: EastoolQuestion) => object | Promise<object>;

const reports: Readonly<Record<ReportName, Report>> = {
  config: (host) => ({ config: host.config() }),
  routes: (host) => ({ routes: host.routes() }),
  connections: (host) => ({ connections: host.connections() }),
  errors: (host) => ({
    errors: host.recentErrors().map(({ atMs, ...error }) => ({
      at: new Date(atMs).toISOString(),
      ...error,
    })),
  }),
  "cpu-profile": (host, { seconds, abort }) =>
    host.profiler.record(profileSeconds(seconds) * 1_000, abort),
  "heap-summary": () => ({
    memory: process.memoryUsage(),
    heap: getHeapStatistics(),
    spaces: getHeapSpaceStatistics(),
  }),
};

/**
 * Diagnoses a running host; the report is an object that becomes JSON.
 *
 * @throws HostError `MALFORMED_REQUEST` for an unknown report, with the names of all, or a duration out of range;
 * `ALREADY_RUNNING` for a second profile.
 */
export async function eastool(host: HostView, question: EastoolQuestion): Promise<object> {
  const { report } = question;
  if (isReport(report)) return reports[report](host, question);
  const known = Object.keys(reports);
  throw servingError(
    "MALFORMED_REQUEST",
    report === null || report === ""
      ? `no report is named, known: ${known.join(", ")}`
      : `no report ${JSON.stringify(report.slice(0, 40))}${didYouMean(report, known)}`,
  );
}

function isReport(name: string | null): name is ReportName {
  return name !== null && Object.hasOwn(reports, name);
}

function profileSeconds(seconds: number = DEFAULT_PROFILE_SECONDS): number {
  if (seconds > 0 && seconds <= MAX_PROFILE_SECONDS) return seconds;
  throw servingError(
    "MALFORMED_REQUEST",
    `a profile of ${seconds} seconds, expected above 0 to ${MAX_PROFILE_SECONDS}`,
  );
}
