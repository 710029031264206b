import { type Command, Option } from "commander";
import { type HostOptions, hostDefaults } from "../../host/host-options.js";
import { laneKinds, logLevels } from "../../host/resolve-host-options.js";
import { flagName } from "../flag-name.js";
import { repeated, wordsFlag } from "../flag-values.js";

/** Options that have a flag of their own; `--set` gives any other. */
type FlaggedOption = Extract<
  keyof HostOptions,
  | "service"
  | "endpoint"
  | "directory"
  | "advertise"
  | "name"
  | "weight"
  | "lane"
  | "workerThreads"
  | "workerProcesses"
  | "requestTimeoutMs"
  | "logLevel"
>;

/** The word for the value of each, and what it does. */
export const flagged: Readonly<Record<FlaggedOption, readonly [value: string, what: string]>> = {
  service: ["name", "name of the service"],
  endpoint: ["address", "what to bind: host:port or :port; port 0 takes any free one"],
  directory: ["addresses", "directories to register with, host:port[,host:port]"],
  advertise: ["address", "ip[:port] to register"],
  name: ["name", "stable name of the instance"],
  weight: ["number", "share of traffic"],
  lane: ["kind", "where the processor runs: inline, thread or process"],
  workerThreads: ["number", "calls at a time inline, or number of threads"],
  workerProcesses: ["number", "number of child processes"],
  requestTimeoutMs: ["ms", "longest time of a call"],
  logLevel: ["level", "least level of lines in the log"],
};

/** What those take that take one of a few words. */
const words: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["lane", laneKinds],
  ["logLevel", logLevels],
]);

/** The values of those flags, by option, and of `--set`. */
export type OptionFlags = { readonly [K in FlaggedOption]?: string } & {
  readonly set?: readonly string[];
};

/** Flags of `serve`. */
export interface ServeFlags extends OptionFlags {
  readonly token?: string;
  readonly watch?: boolean;
}

/** Adds a flag for each of those options, `--set` and `--watch`. */
export function configureServeFlags(command: Command): void {
  for (const [option, [value, what]] of Object.entries(flagged)) {
    const preset = hostDefaults[option as FlaggedOption];
    const shown = preset === undefined ? what : `${what} (default: ${String(preset)})`;
    const flag = `${flagName(option)} <${value}>`;
    const known = words.get(option);
    command.addOption(
      known === undefined ? new Option(flag, shown) : wordsFlag(flag, shown, known),
    );
  }
  command.option(
    "--set <option=value>",
    "any option, its value as the option's variable takes it; may be repeated",
    repeated,
  );
  command.option("--watch", "start anew on change, with no call dropped");
}
