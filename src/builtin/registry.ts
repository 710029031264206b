/** Name of a builtin. */
export type BuiltinName =
  | "call"
  | "eastool"
  | "monitor"
  | "ping"
  | "prop"
  | "realtime_metrics"
  | "tell"
  | "term";

/** What is known of a builtin without running it. */
export interface BuiltinEntry {
  readonly name: BuiltinName;
  /** HTTP verbs it takes. */
  readonly verbs: readonly string[];
  /** Whether it needs the admin token, or a caller on the same machine. */
  readonly changesState: boolean;
  /** False: answered with NOT_IN_THIS_VERSION. */
  readonly available: boolean;
}

function entry(
  name: BuiltinName,
  verbs: readonly string[],
  flags: { readonly changesState?: true; readonly available?: true },
): BuiltinEntry {
  return {
    name,
    verbs,
    changesState: flags.changesState ?? false,
    available: flags.available ?? false,
  };
}

/** All eight, in the order in which they are installed. */
export const builtins: readonly BuiltinEntry[] = [
  entry("call", ["POST"], { changesState: true }),
  entry("eastool", ["GET", "POST"], { changesState: true }),
  entry("monitor", ["GET"], { available: true }),
  entry("ping", ["GET", "POST"], { available: true }),
  entry("prop", ["GET", "POST"], {}),
  entry("realtime_metrics", ["GET", "POST"], {}),
  entry("tell", ["POST"], { changesState: true }),
  entry("term", ["POST"], { changesState: true, available: true }),
];
