/** Shells that can be taught to complete. */
export const shells = ["bash", "zsh", "fish"] as const;

/** A shell that can be taught to complete. */
export type Shell = (typeof shells)[number];

/** What a shell is told of a flag. */
export interface CompletedFlag {
  /** With both dashes. */
  readonly name: string;
  readonly description: string;
  readonly takesValue: boolean;
  /** Words that its value is one of; none: anything, such as a file. */
  readonly words: readonly string[];
}

/** What a shell is told of an argument. */
export interface CompletedArgument {
  readonly name: string;
  /** As for flags. */
  readonly words: readonly string[];
  /** Whether all that follow are the same. */
  readonly variadic: boolean;
}

/** What a shell is told of a command. */
export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly CompletedFlag[];
  readonly args: readonly CompletedArgument[];
  /** Commands below it, whose names stand right behind its own. */
  readonly commands: readonly CompletedCommand[];
}
