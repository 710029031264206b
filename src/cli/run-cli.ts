import type { Readable } from "node:stream";
import { Command, CommanderError } from "commander";
import type { Clock } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import type { CliCommand, CliContext } from "./command.js";
import { describeCommand } from "./describe-command.js";
import { exitCodeOf, exitCodes, exitCodeTexts } from "./exit-code.js";
import { shownError } from "./shown-error.js";
import { createTerminal, type TextSink } from "./terminal.js";

/** What the command line runs in. */
export interface CliWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  stdin(): Readable;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Version of the kit. */
  readonly version: string;
}

/** Why a command is stopped when nobody reads its results any more: it ends without a word. */
export class OutputClosed extends Error {}

/** As shells have it for SIGPIPE: 128 and the signal's number. */
const OUTPUT_CLOSED = 141;

/** Flags of every command. */
interface CommonFlags {
  readonly json?: boolean;
  readonly token?: string;
  readonly debug?: boolean;
}

/**
 * Runs one command line.
 *
 * @param args - what stands behind `inferwire`
 * @returns the exit code
 */
export async function runCli(
  args: readonly string[],
  commands: readonly CliCommand[],
  world: CliWorld,
): Promise<number> {
  let exitCode = 0;
  const flags = commonFlags(args);
  const program = createProgram(commands, world, {
    ended: (code) => {
      exitCode = code;
    },
    usage: flags.json === true ? nowhere : world.stderr,
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return outputClosed(world) ? OUTPUT_CLOSED : exitCode;
  } catch (thrown) {
    if (outputClosed(world)) return OUTPUT_CLOSED;
    if (!(thrown instanceof CommanderError)) return showError(thrown, world, flags);
    // Commander has written its text already.
    if (thrown.exitCode === 0) return 0;
    return flags.json === true ? showError(usageError(thrown), world, flags) : exitCodes.config;
  }
}

function outputClosed({ signal }: CliWorld): boolean {
  return signal.reason instanceof OutputClosed;
}

const nowhere: TextSink = { write() {} };

/** What commander says of a wrong command line, as an error of the kit. */
function usageError({ code, message }: CommanderError): ServingError {
  const reason = code === "commander.unknownOption" ? "UNKNOWN_OPTION" : "INVALID_OPTION";
  return servingError(reason, message.replace(/^error: /, "").replaceAll("\n", " "));
}

/** Who hears of a program. */
export interface ProgramListener {
  /** Told the exit code of the command that has run. */
  ended(exitCode: number): void;
  /** Where commander says what is wrong with a command line. */
  readonly usage: TextSink;
}

/** Makes the program with all its commands. */
export function createProgram(
  commands: readonly CliCommand[],
  world: CliWorld,
  { ended, usage }: ProgramListener,
): Command {
  const program = new Command("inferwire")
    .description("Generate, host, call and measure typed RPC services.")
    .version(world.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => world.stdout.write(text),
      writeErr: (text) => usage.write(text),
      // Widths and colours go by where the text goes, not by the process's own terminal.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
    })
    .showHelpAfterError("(add --help for what can be given)");
  for (const command of commands) addCommand(program, command, world, ended);
  return program;
}

const HELP_WIDTH = 100;

function addCommand(
  program: Command,
  definition: CliCommand,
  world: CliWorld,
  ended: ProgramListener["ended"],
): void {
  const command = describeCommand(definition, program.command(definition.name));
  command.addHelpText("after", helpTail(definition));
  command.action(async (...given: unknown[]) => {
    // Commander's own form: the arguments, then the flags, then the command.
    const flags = command.opts<CommonFlags>();
    const context = await contextOf(flags, world);
    const args = given.slice(0, -2).flatMap(argTexts);
    ended((await definition.run(args, flags, context)) ?? 0);
  });
}

/** An argument as commands get it; one that takes several stands as several. */
function argTexts(given: unknown): readonly (string | undefined)[] {
  if (Array.isArray(given)) return given.filter((each) => typeof each === "string");
  return [typeof given === "string" ? given : undefined];
}

function helpTail({ examples }: CliCommand): string {
  const lines = examples.map(({ line, what }) => `  inferwire ${line}\n      ${what}`);
  const codes = exitCodeTexts.map(([code, meaning]) => `  ${code}  ${meaning}`);
  return `\nExamples:\n${lines.join("\n")}\n\nExit codes:\n${codes.join("\n")}`;
}

async function contextOf(flags: CommonFlags, world: CliWorld): Promise<CliContext> {
  // Help is shown without it: it knows all options of a host.
  const { tokenOf } = await import("./token-of.js");
  const { env, folder, stdout, stderr, clock, signal } = world;
  return {
    env,
    folder,
    clock,
    signal,
    stdin: () => world.stdin(),
    terminal: createTerminal({ json: flags.json === true, stdout, stderr, clock }),
    token: flags.token ?? (await tokenOf("token", world)),
    debug: flags.debug === true,
  };
}

/** The common flags of a command line that may not even parse. */
function commonFlags(args: readonly string[]): CommonFlags {
  const end = args.indexOf("--");
  const flags = end < 0 ? args : args.slice(0, end);
  return { json: flags.includes("--json"), debug: flags.includes("--debug") };
}

function showError(thrown: unknown, world: CliWorld, { json, debug }: CommonFlags): number {
  const terminal = createTerminal({ ...world, json: json === true });
  const { value, text } = shownError(thrown, debug === true);
  terminal.fail(value, text);
  return exitCodeOf(thrown);
}
