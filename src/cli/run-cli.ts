import { setMaxListeners } from "node:events";
import type { Readable } from "node:stream";
import { Command, CommanderError } from "commander";
import { nearestName } from "../core/nearest.js";
import type { Clock } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import type { CliCommand, CliContext, TokenOption } from "./command.js";
import { describeCommand } from "./describe-command.js";
import { exitCodeOf, exitCodes, exitCodeTexts } from "./exit-code.js";
import { printableLine } from "./printable.js";
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
    // What stands behind the name of a command is that one's.
    .enablePositionalOptions()
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
  const { commands: below = [], tokenOption } = definition;
  command.addHelpText("after", helpTail(definition));
  if (below.length > 0) {
    command.enablePositionalOptions().allowExcessArguments();
    // Looked at before the flags: those behind a mistyped name would be unknown.
    program.hook("preSubcommand", ({ args: [, word] }, chosen) => {
      if (chosen === command) refuseWord(word, command, below);
    });
    for (const each of below) addCommand(command, each, world, ended);
  }
  command.action(async (...given: unknown[]) => {
    if (below.length > 0) refuseWord(command.args[0], command, below);
    refuseFlagsBefore(command);
    // Commander's own form: the arguments, then the flags, then the command.
    const flags = command.opts<CommonFlags>();
    const context = await contextOf(flags, world, tokenOption);
    const args = given.slice(0, -2).flatMap(argTexts);
    ended((await definition.run(args, flags, context)) ?? 0);
  });
}

/** A command with others below it takes no arguments: a word behind it is the name of one, mistyped. */
function refuseWord(
  word: string | undefined,
  command: Command,
  below: readonly CliCommand[],
): void {
  const names = below.map(({ name }) => name);
  if (word === undefined || word.startsWith("-") || names.includes(word)) return;
  const nearest = nearestName(word, names);
  const hint = nearest === undefined ? `known: ${names.join(", ")}` : `Did you mean ${nearest}?`;
  command.error(
    `error: unknown command '${printableLine(word.slice(0, 80))}' of ${command.name()}\n(${hint})`,
    { code: "commander.unknownCommand" },
  );
}

/** Flags between a command and the name of one below it are nobody's: leaving them out of account would be worse. */
function refuseFlagsBefore(command: Command): void {
  const { parent } = command;
  if (parent === null || parent.parent === null) return;
  const [given] = parent.options.filter(
    (option) => parent.getOptionValueSource(option.attributeName()) === "cli",
  );
  if (given === undefined) return;
  command.error(
    `error: ${given.long} stands before ${command.name()}, expected behind it, if ${command.name()} has it`,
    { code: "commander.unknownOption" },
  );
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

async function contextOf(
  flags: CommonFlags,
  world: CliWorld,
  tokenOption: TokenOption = "token",
): Promise<CliContext> {
  // Help is shown without it: it knows all options of a host.
  const { tokenOf } = await import("./token-of.js");
  const { env, folder, stdout, stderr, clock, signal } = world;
  // A command may have any number of calls under way that end with it; Node warns of more than ten.
  setMaxListeners(0, signal);
  return {
    env,
    folder,
    clock,
    signal,
    stdin: () => world.stdin(),
    terminal: createTerminal({ json: flags.json === true, stdout, stderr, clock }),
    token: flags.token ?? (await tokenOf(tokenOption, world)),
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
