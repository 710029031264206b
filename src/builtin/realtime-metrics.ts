import type { CallAbort } from "../core/call-abort.js";
import { didYouMean } from "../core/nearest.js";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { hostStopping } from "../core/stop-errors.js";
import type { HostView } from "./host-view.js";
import type { Sample, SampledSecond } from "./sample-store.js";

/** What one request may hold. */
export const sampleLimits: {
  readonly samples: number;
  readonly tags: number;
  readonly tagNameLength: number;
  readonly tagValueLength: number;
} = Object.freeze({ samples: 1_000, tags: 10, tagNameLength: 64, tagValueLength: 256 });

/**
 * Takes samples of declared metrics, all of them or none.
 *
 * @throws HostError `MALFORMED_REQUEST` naming the first sample that cannot be taken, and why.
 */
export function recordSamples(host: HostView, samples: readonly Sample[]): void {
  if (samples.length === 0 || samples.length > sampleLimits.samples) {
    throw refused(`${samples.length} samples, expected 1 to ${sampleLimits.samples}`);
  }
  for (const [index, sample] of samples.entries()) {
    const problem = sampleProblem(host, sample);
    if (problem !== undefined) throw refused(`sample ${index}: ${problem}`);
  }
  host.samples.record(samples);
}

/**
 * Every second of the last minutes that has samples, oldest first; the last one may still be under way.
 *
 * @param names - Metrics to read; empty: all.
 * @throws HostError `MALFORMED_REQUEST` for a name that is not declared.
 */
export function* recordedSeconds(
  host: HostView,
  names: readonly string[],
): Generator<SampledSecond, void> {
  const wanted = wantedNames(host, names);
  for (let from = 0; ; ) {
    const next = host.samples.next(from);
    if (next === undefined) return;
    from = next.second + 1;
    const points = next.points.filter(({ name }) => wanted(name));
    if (points.length > 0) yield { second: next.second, points };
  }
}

/** Points in one element of {@link streamedSeconds}: keeps messages far below what gRPC callers take. */
const POINTS_AT_A_TIME = 1_000;

/**
 * The seconds of the last minutes that have samples, then each one as it ends, until the caller leaves; a second with
 * very many points in several parts. Whoever reads slowly misses the seconds that the store has forgotten meanwhile.
 *
 * @throws HostError `MALFORMED_REQUEST` for a name that is not declared; `DRAINING` when the host stops.
 */
export async function* streamedSeconds(
  host: HostView,
  names: readonly string[],
  abort: CallAbort,
): AsyncGenerator<SampledSecond, void> {
  const wanted = wantedNames(host, names);
  for (let from = 0; abort.reason === undefined; ) {
    if (host.state === "draining" || host.state === "stopped") {
      throw hostStopping();
    }
    const next = host.samples.next(from);
    if (next === undefined || next.second >= host.samples.currentSecond) {
      await host.samples.secondEnds(abort);
      continue;
    }
    from = next.second + 1;
    const points = next.points.filter(({ name }) => wanted(name));
    for (let start = 0; start < points.length; start += POINTS_AT_A_TIME) {
      yield { second: next.second, points: points.slice(start, start + POINTS_AT_A_TIME) };
    }
  }
}

function wantedNames(host: HostView, names: readonly string[]): (name: string) => boolean {
  for (const name of names) {
    const problem = nameProblem(host, name);
    if (problem !== undefined) throw refused(problem);
  }
  const wanted = new Set(names);
  return (name) => wanted.size === 0 || wanted.has(name);
}

function sampleProblem(host: HostView, { name, value, tags }: Sample): string | undefined {
  const undeclared = nameProblem(host, name);
  if (undeclared !== undefined) return undeclared;
  if (!Number.isFinite(value)) return `value is ${seen(value)}, expected a finite number`;
  if (tags.size > sampleLimits.tags) return `${tags.size} tags, at most ${sampleLimits.tags}`;
  for (const [tag, { length }] of tags) {
    if (tag === "" || tag.length > sampleLimits.tagNameLength) {
      return `a tag's name has ${tag.length} characters, expected 1 to ${sampleLimits.tagNameLength}`;
    }
    if (length > sampleLimits.tagValueLength) {
      return `tag ${seen(tag)} has ${length} characters, at most ${sampleLimits.tagValueLength}`;
    }
  }
  return undefined;
}

function nameProblem({ declaredMetrics }: HostView, name: string): string | undefined {
  if (declaredMetrics.has(name)) return undefined;
  if (declaredMetrics.size === 0) return `metric ${seen(name)}, but the host declares no metrics`;
  return `metric ${seen(name)} is not declared${didYouMean(name, declaredMetrics.keys())}`;
}

function refused(problem: string): Error {
  return servingError("MALFORMED_REQUEST", problem);
}
