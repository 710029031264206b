import { type CallReport, createClient, type ServiceChannel } from "inferwire/client";
import { PredictServiceDefinition } from "inferwire/proto";
import type { Digits } from "./digits.js";
import type { Phase, Tally } from "./tally.js";

/** Classifies digits without a pause until it is stopped. */
export interface Load {
  /** The phase that calls belong to which start from now on. */
  phase: Phase;
  /** Starts no more calls, and waits for those under way. */
  stop(): Promise<void>;
}

/** Starts `inFlight` calls at a time on a channel and counts how each ends. */
export function startLoad(
  channel: ServiceChannel,
  digits: Digits,
  tally: Tally,
  options: { readonly phase: Phase; readonly inFlight: number },
): Load {
  const client = createClient(PredictServiceDefinition, {
    channel,
    // Classifying changes nothing: a call that was lost may be made again elsewhere.
    methods: { predict: { idempotent: true } },
  });
  const names = new Map<string, string>();
  const nameOf = (key: string): string => {
    if (!names.has(key)) {
      for (const instance of channel.snapshot().instances) names.set(instance.key, instance.name);
    }
    return names.get(key) ?? key;
  };
  const load = { phase: options.phase, stop };
  let next = 0;
  let stopped = false;

  const classifyOne = async (index: number): Promise<void> => {
    const { phase } = load;
    let report: CallReport | undefined;
    const onReport = (r: CallReport): void => {
      report = r;
    };
    const started = performance.now();
    try {
      const { data } = await client.predict({ data: digits.pixels(index) }, { onReport });
      const latencyMs = performance.now() - started;
      const attempts = report?.attempts ?? [];
      if (attempts.length > 1) tally.retried++;
      const right = Number(Buffer.from(data).toString()) === digits.label(index);
      tally.answered(phase, nameOf(attempts.at(-1)?.instance ?? ""), right, latencyMs);
    } catch (error) {
      tally.failed++;
      console.error(String(error));
    }
  };
  const worker = async (): Promise<void> => {
    while (!stopped) await classifyOne(next++ % digits.count);
  };
  const workers = Array.from({ length: options.inFlight }, worker);

  async function stop(): Promise<void> {
    stopped = true;
    await Promise.all(workers);
    await client[Symbol.asyncDispose]();
  }
  return load;
}
