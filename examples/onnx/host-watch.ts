import { setTimeout as wait } from "node:timers/promises";
import { createClient } from "inferwire/client";
import { BuiltinServiceDefinition, type LaneState } from "inferwire/proto";

/** What was seen of a host from outside. */
export interface HostReport {
  /** Time that 99 of 100 pings took at most, in ms. */
  readonly pingMs: number;
  /** The host's lanes, with the calls that each has taken. */
  readonly lanes: readonly LaneState[];
}

/** Pings a host until it is stopped. */
export interface HostWatch {
  /** Ends the pings and asks the host for its lanes. */
  stop(): Promise<HostReport>;
}

const pauseMs = 5;

/** Starts to ping a host, to see whether it still answers while its model is at work. */
export function watchHost(target: string): HostWatch {
  const client = createClient(BuiltinServiceDefinition, { target });
  const timesMs: number[] = [];
  let stopped = false;
  const ping = async (): Promise<void> => {
    while (!stopped) {
      const started = performance.now();
      await client.ping({});
      timesMs.push(performance.now() - started);
      await wait(pauseMs);
    }
  };
  const pinging = ping();
  return {
    async stop() {
      stopped = true;
      await pinging;
      const { lanes } = await client.monitor({});
      await client[Symbol.asyncDispose]();
      const sorted = timesMs.toSorted((a, b) => a - b);
      return { pingMs: sorted[Math.floor(0.99 * (sorted.length - 1))] ?? Number.NaN, lanes };
    },
  };
}
