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
  /** False: answered with NOT_IN_THIS_VERSION. */
  readonly available: boolean;
}

const reads = (name: string): BuiltinWay => ({ name, changesState: false });
const changes = (name: string): BuiltinWay => ({ name, changesState: true });

/** All eight, in the order in which they are installed. */
export const builtins: readonly BuiltinEntry[] = [
  { name: "call", verbs: [changes("POST")], methods: [changes("call")], available: false },
  {
    name: "eastool",
    verbs: [changes("GET"), changes("POST")],
    methods: [changes("eastool")],
    available: false,
  },
  { name: "monitor", verbs: [reads("GET")], methods: [reads("monitor")], available: true },
  { name: "ping", verbs: [reads("GET"), reads("POST")], methods: [reads("ping")], available: true },
  {
    name: "prop",
    verbs: [reads("GET"), changes("POST")],
    methods: [reads("prop"), changes("setProperties")],
    available: false,
  },
  {
    name: "realtime_metrics",
    verbs: [reads("GET"), reads("POST")],
    methods: [reads("recordMetrics"), reads("realtimeMetrics")],
    available: false,
  },
  { name: "tell", verbs: [changes("POST")], methods: [changes("tell")], available: false },
  { name: "term", verbs: [changes("POST")], methods: [changes("term")], available: true },
];
