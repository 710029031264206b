import type { LeveledLogger, LogLevel } from "../server/logger.js";
import type { AdmissionLimits } from "./admission.js";
import type { ResolvedHostOptions } from "./host-options.js";
import type { LiveSetting, LiveSettings } from "./host-properties.js";

/** Where the settings of a running host take effect. */
export interface LiveSettingsPorts {
  readonly setLimits: (limits: Partial<AdmissionLimits>) => void;
  readonly setCallsPerLane: (calls: number) => void;
  /** Registers the host with another weight. */
  readonly setWeight: (weight: number) => void;
  /** The kit's own logger; undefined when the program has given one. */
  readonly logger: LeveledLogger | undefined;
}

/** Makes what can be changed while a host runs, as its options set it at first. */
export function createLiveSettings(
  options: ResolvedHostOptions,
  { setLimits, setCallsPerLane, setWeight, logger }: LiveSettingsPorts,
): LiveSettings {
  const { maxQueueLength, maxQueueBytes, requestsPerSecond, callsPerLane } = options;
  return {
    weight: setting(options.weight, setWeight),
    maxQueueLength: setting(maxQueueLength, (value) => setLimits({ maxQueueLength: value })),
    maxQueueBytes: setting(maxQueueBytes, (value) => setLimits({ maxQueueBytes: value })),
    requestsPerSecond: setting(requestsPerSecond, (value) =>
      setLimits({ requestsPerSecond: value }),
    ),
    callsPerLane: setting(callsPerLane, setCallsPerLane),
    logLevel: {
      ...setting<LogLevel>(options.logLevel, (level) => {
        if (logger !== undefined) logger.level = level;
      }),
      ...(logger === undefined ? { fixedBecause: "the logger is the program's own" } : {}),
    },
  };
}

function setting<T>(initial: T, take: (value: T) => void): LiveSetting<T> {
  let current = initial;
  return {
    read: () => current,
    apply(value) {
      current = value;
      take(value);
    },
  };
}
