import type { Readable } from "node:stream";
import type { Command } from "commander";
import type { Clock } from "../core/ports.js";
import type { Terminal } from "./terminal.js";

/** What every command runs with. */
export interface CliContext {
  /** The environment's variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the folder that relative paths start from. */
  readonly folder: string;
  readonly terminal: Terminal;
  /** What is written to the command, from the moment in which it is asked for. */
  stdin(): Readable;
  readonly clock: Clock;
  /** Aborted by the first SIGINT or SIGTERM; a second one ends the process at once. */
  readonly signal: AbortSignal;
  /**
   * The flag `--token`, else INFERWIRE_TOKEN, else what the file of INFERWIRE_TOKEN_FILE holds, or those of the command's
   * {@link CliCommand.tokenOption}; undefined when there is none.
   */
  readonly token: string | undefined;
  /** Whether stack traces are wanted. */
  readonly debug: boolean;
}

/** An option that holds a token, with variables of its own. */
export type TokenOption = "token" | "adminToken" | "directoryToken";

/** A line that the help shows, and what it does. */
export interface HelpExample {
  /** Without `inferwire` in front. */
  readonly line: string;
  readonly what: string;
}

/**
 * One command. What it needs to be described is light; its engine is imported by `run`, so that `--help` is quick.
 *
 * @typeParam Flags - the flags as commander gives them, by their names in camel case; `--json`, `--token` and `--debug` are
 * every command's and come with the context
 */
export interface CliCommand<Flags extends object = object> {
  readonly name: string;
  /** One line, lower case, no full stop. */
  readonly summary: string;
  readonly examples: readonly HelpExample[];
  /** What `--token` is where it is none to send. */
  readonly tokenMeans?: string;
  /** Whose variables give the token where the flag does not; those of `token` when left out. */
  readonly tokenOption?: TokenOption;
  /** Commands below this one, such as `directory ls`; their flags stand behind their names. */
  readonly commands?: readonly CliCommand[];
  /** Adds arguments and flags. */
  configure(command: Command): void;
  /**
   * Runs. What it throws is shown as one line, and becomes the exit code.
   *
   * @param args - as given, optional ones undefined
   * @returns the exit code; 0 when it returns nothing
   */
  run(
    args: readonly (string | undefined)[],
    flags: Flags,
    context: CliContext,
  ): Promise<number | undefined>;
}
