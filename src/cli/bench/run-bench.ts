import { openChannel, type ServiceChannel } from "../../client/service-channel.js";
import { servingError } from "../../core/serving-error.js";
import type { DynamicMethod } from "../../wire/dynamic-methods.js";
import { channelOptionsOf } from "../channel-flags.js";
import type { CliContext } from "../command.js";
import { describeMethod } from "../described-method.js";
import { methodText } from "../find-method.js";
import { requestsOf } from "../request-json.js";
import { instancesIn, withChannel } from "../with-channel.js";
import type { BenchFlags } from "./flags.js";
import { compareRuns } from "./judge.js";
import { type LoadSettings, loadOf } from "./load-settings.js";
import { measure } from "./measure.js";
import { reportHtml } from "./report.js";
import type { BenchResult } from "./result.js";
import { resultFile } from "./result-file.js";
import { resultText } from "./result-text.js";
import { readSavedRun } from "./saved-run.js";
import { type BenchSettings, inFlightBound } from "./settings.js";

/**
 * Measures a method under load, shows what came of it, and writes what was asked for.
 *
 * @throws DiscoveryError when the target has no instance; CallError when every call has failed, or when it is stopped before
 * anything is measured; ConfigError.
 */
export async function runBench(
  target: string,
  methodName: string,
  flags: BenchFlags,
  context: CliContext,
): Promise<void> {
  const load = loadOf(flags);
  const { compare } = flags;
  // Before anything is measured: a run is not to be lost to a file.
  const before = compare === undefined ? undefined : await readSavedRun(compare, context.folder);
  const saved = await resultFile("--save", flags.save, context);
  const report = await resultFile("--report", flags.report, context);
  const result = await withChannel(target, flags, context, async ({ channel }) => {
    const method = await findMethod(methodName, channel, flags, context);
    const request = await requestOf(method, flags.data, context);
    return await measureAt(target, { load, method, request, flags, context });
  });
  const compared =
    before === undefined ? undefined : { before, comparison: compareRuns(before, result) };
  context.terminal.result(
    compared === undefined ? result : { ...result, comparison: compared.comparison },
    resultText(result, compared?.comparison),
  );
  // Behind the result: a disk that is full is not to lose it.
  await saved?.write(`${JSON.stringify(result)}\n`);
  await report?.write(reportHtml(result, compared));
  refuseFailure(result);
}

interface MeasuredAt {
  readonly load: LoadSettings;
  readonly method: DynamicMethod;
  readonly request: Uint8Array;
  readonly flags: BenchFlags;
  readonly context: CliContext;
}

async function measureAt(
  target: string,
  { load, method, request, flags, context }: MeasuredAt,
): Promise<BenchResult> {
  const { signal } = context;
  const { timeoutMs, connections, seed } = load;
  const options = await channelOptionsOf(target, flags, context);
  // A benchmark shows what calls meet; an attempt made again would hide it.
  const channels = Array.from({ length: connections }, (_, index) =>
    openChannel({ ...options, timeoutMs, maxAttempts: 1, seed: seed + index }),
  );
  try {
    for (const snapshot of await Promise.all(channels.map((each) => each.ready({ signal })))) {
      instancesIn(snapshot);
    }
    const settings: BenchSettings = {
      ...load,
      target,
      method: methodText(method),
      stream: method.responseStream,
      maxInFlight: load.maxInFlight ?? inFlightBound(request.length),
      requestBytes: request.length,
    };
    return await measure({ channels, method, request, settings, context });
  } finally {
    await Promise.all(channels.map((channel) => channel.close()));
  }
}

async function findMethod(
  name: string,
  channel: ServiceChannel,
  flags: BenchFlags,
  context: CliContext,
): Promise<DynamicMethod> {
  const call = { signal: context.signal };
  const method = await describeMethod(name, { channel, flags, context, call });
  if (!method.requestStream) return method;
  const { path } = method;
  throw servingError(
    "INVALID_OPTION",
    `${path} takes a stream; bench calls methods of one request`,
  );
}

async function requestOf(
  method: DynamicMethod,
  data: string | undefined,
  context: CliContext,
): Promise<Uint8Array> {
  for await (const request of requestsOf(method, data, context)) return request;
  return new Uint8Array(0);
}

function refuseFailure({ calls, errors }: BenchResult): void {
  if (calls.scheduled === 0 || calls.succeeded > 0) return;
  const [most] = errors;
  const why = most === undefined ? "none was sent" : `most with ${most.reason}: ${most.message}`;
  throw servingError("CALL_FAILED", `all of ${calls.scheduled} calls failed, ${why}`);
}
