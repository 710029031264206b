/** Where the builtins stand over HTTP. */
export const BUILTIN_PREFIX = "/api/builtin/";

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

/** One way to call a builtin: an HTTP verb, or a method of BuiltinService. */
export interface BuiltinWay {
  readonly name: string;
  /** Whether it needs the admin token, or a caller on the same machine. */
  readonly changesState: boolean;
}

/** What is known of a builtin without running it: the only list, from which routes and rights are derived. */
export interface BuiltinEntry {
  readonly name: BuiltinName;
  /** HTTP verbs it takes. */
  readonly verbs: readonly BuiltinWay[];
  /** Methods of BuiltinService, as its definition spells them. */
  readonly methods: readonly BuiltinWay[];
}

const reads = (name: string): BuiltinWay => ({ name, changesState: false });
const changes = (name: string): BuiltinWay => ({ name, changesState: true });

/** All eight, in the order in which they are installed. */
export const builtins: readonly BuiltinEntry[] = [
  { name: "call", verbs: [changes("POST")], methods: [changes("call")] },
  { name: "eastool", verbs: [changes("GET"), changes("POST")], methods: [changes("eastool")] },
  { name: "monitor", verbs: [reads("GET")], methods: [reads("monitor")] },
  { name: "ping", verbs: [reads("GET"), reads("POST")], methods: [reads("ping")] },
  {
    name: "prop",
    verbs: [reads("GET"), changes("POST")],
    methods: [reads("prop"), changes("setProperties")],
  },
  {
    name: "realtime_metrics",
    verbs: [reads("GET"), reads("POST")],
    methods: [reads("recordMetrics"), reads("realtimeMetrics")],
  },
  { name: "tell", verbs: [changes("POST")], methods: [changes("tell")] },
  { name: "term", verbs: [changes("POST")], methods: [changes("term")] },
];
