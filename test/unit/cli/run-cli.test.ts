import { describe, expect, it } from "vitest";
import type { CliCommand } from "../../../src/cli/command.js";
import { OutputClosed, runCli } from "../../../src/cli/run-cli.js";
import { CallError, servingError } from "../../../src/core/serving-error.js";
import { recordedWorld } from "../../support/cli-world.js";

/** A command that does what a test says. */
function command(run: CliCommand["run"] = async () => undefined): CliCommand {
  return {
    name: "resolve",
    summary: "do something",
    examples: [{ line: "resolve a b", what: "an example" }],
    configure(each) {
      each.argument("[first]").argument("[rest...]").option("--count <n>");
    },
    run,
  };
}

const throwing = (thrown: unknown): readonly CliCommand[] => [
  command(async () => {
    throw thrown;
  }),
];

describe("runCli", () => {
  it("gives a command its arguments, several of one as several, and what is left out as undefined", async () => {
    const seen: unknown[] = [];
    const commands = [command(async (args, flags) => void seen.push(args, flags))];
    await runCli(["resolve", "a", "b", "c", "--count", "2"], commands, recordedWorld());
    await runCli(["resolve"], commands, recordedWorld());
    expect(seen).toEqual([["a", "b", "c"], { count: "2" }, [undefined], {}]);
  });

  it("ends with the code that the command returns, else 0", async () => {
    expect(await runCli(["resolve"], [command(async () => 4)], recordedWorld())).toBe(4);
    expect(await runCli(["resolve"], [command()], recordedWorld())).toBe(0);
  });

  it.each([
    ["INVALID_OPTION", 2],
    ["NO_INSTANCE", 3],
    ["CONNECT_FAILED", 4],
    ["PROCESSOR_THREW", 5],
    ["QUEUE_FULL", 6],
    ["INTERNAL", 1],
  ] as const)("ends %s with %i, and shows message, reason and advice", async (reason, code) => {
    const world = recordedWorld();
    const error = servingError(reason, "as told");
    expect(await runCli(["resolve"], throwing(error), world)).toBe(code);
    expect(world.said).toEqual({
      stdout: "",
      stderr: `error: as told (${reason}: ${error.entry.advice})\n`,
    });
  });

  it("shows no stack trace without --debug, and the causes' with it", async () => {
    const error = new Error("outer", { cause: new Error("inner") });
    const quiet = recordedWorld();
    expect(await runCli(["resolve"], throwing(error), quiet)).toBe(1);
    expect(quiet.said.stderr).toBe(
      "error: outer (INTERNAL: add --debug for the stack trace, and report it)\n",
    );
    const loud = recordedWorld();
    await runCli(["resolve", "--debug"], throwing(error), loud);
    expect(loud.said.stderr).toMatch(/Error: outer\n\s+at [\s\S]*caused by: Error: inner\n\s+at/);
  });

  it.each([{ flags: [] }, { flags: ["--debug"] }])(
    "keeps an error's own words on one line, with $flags",
    async ({ flags }) => {
      const world = recordedWorld();
      const error = new CallError("CALL_FAILED", "no\r\n\u001b[2Jerror: forged", { remote: true });
      await runCli(["resolve", ...flags], throwing(error), world);
      expect(world.said.stderr).toContain("error: no\\u000d\\u000a\\u001b[2Jerror: forged (");
      expect(world.said.stderr).not.toMatch(/^error: forged|\r/m);
    },
  );

  it("says errors as one line of JSON with --json; those of calls with instance and attempts", async () => {
    const world = recordedWorld();
    const error = new CallError("CALL_FAILED", "as told", { remote: true, instance: "a:1" });
    await runCli(["resolve", "--json"], throwing(error), world);
    expect(world.said.stderr.split("\n")).toHaveLength(2);
    expect(JSON.parse(world.said.stderr)).toEqual({
      error: {
        code: "UNKNOWN",
        reason: "CALL_FAILED",
        message: "as told",
        remote: true,
        instance: "a:1",
        attempts: [],
      },
    });
  });

  it("does not repeat reason and advice that a call's message has already", async () => {
    const world = recordedWorld();
    const text = "UNKNOWN (CALL_FAILED): /a/b on a:1: no; act on the code";
    await runCli(["resolve"], throwing(new CallError("CALL_FAILED", text)), world);
    expect(world.said.stderr).toBe(`error: ${text}\n`);
  });

  it("names the nearest command", async () => {
    const world = recordedWorld();
    expect(await runCli(["resolv"], [command()], world)).toBe(2);
    expect(world.said.stderr).toBe(
      "error: unknown command 'resolv'\n(Did you mean resolve?)\n(add --help for what can be given)\n",
    );
  });

  it("names the nearest flag, in JSON as well", async () => {
    const world = recordedWorld();
    expect(await runCli(["resolve", "--cuont", "1", "--json"], [command()], world)).toBe(2);
    expect(JSON.parse(world.said.stderr)).toEqual({
      error: {
        code: "INVALID_ARGUMENT",
        reason: "UNKNOWN_OPTION",
        message: "unknown option '--cuont' (Did you mean --count?)",
      },
    });
  });

  it("shows the help when no command is given, and ends with 2 since nothing was done", async () => {
    const world = recordedWorld();
    expect(await runCli([], [command()], world)).toBe(2);
    expect(world.said.stderr).toContain("Usage: inferwire");
    expect(world.said.stderr).toContain("resolve");
  });

  it("shows a command's help with examples and exit codes on stdout", async () => {
    const world = recordedWorld();
    expect(await runCli(["resolve", "--help"], [command()], world)).toBe(0);
    expect(world.said.stdout).toContain("Examples:\n  inferwire resolve a b\n      an example");
    expect(world.said.stdout).toContain("  3  no instances were found (DiscoveryError)");
    expect(world.said.stderr).toBe("");
  });

  it("shows a flag's default as descriptions write it, and whose token --token is", async () => {
    const world = recordedWorld();
    const shown: CliCommand = {
      ...command(),
      tokenMeans: "token to ask for",
      configure: (each) => void each.option("--out <folder>", "folder for code", "gen"),
    };
    await runCli(["resolve", "--help"], [shown], world);
    expect(world.said.stdout).toMatch(/--out <folder> +folder for code \(default: gen\)\n/);
    expect(world.said.stdout).toMatch(
      /--token <text> +token to ask for \(default: INFERWIRE_TOKEN/,
    );
  });

  it("says its version", async () => {
    const world = recordedWorld();
    expect(await runCli(["--version"], [command()], world)).toBe(0);
    expect(world.said.stdout).toBe("1.2.3\n");
  });

  it("ends without a word when nobody reads its results any more", async () => {
    const stop = new AbortController();
    const world = recordedWorld({ signal: stop.signal });
    const commands = [
      command(async () => {
        stop.abort(new OutputClosed());
        throw servingError("CANCELLED", "given up");
      }),
    ];
    expect(await runCli(["resolve"], commands, world)).toBe(141);
    expect(world.said).toEqual({ stdout: "", stderr: "" });
  });

  it("takes the token from the flag, else the variable, else the variable's file", async () => {
    const tokens: unknown[] = [];
    const commands = [command(async (_args, _flags, { token }) => void tokens.push(token))];
    const env = { INFERWIRE_TOKEN: "variable" };
    await runCli(["resolve", "--token", "flag"], commands, recordedWorld({ env }));
    await runCli(["resolve"], commands, recordedWorld({ env }));
    await runCli(["resolve"], commands, recordedWorld());
    expect(tokens).toEqual(["flag", "variable", undefined]);
  });

  it("names the file of the token that cannot be read", async () => {
    const world = recordedWorld({ env: { INFERWIRE_TOKEN_FILE: "no-such-file" } });
    expect(await runCli(["resolve"], [command()], world)).toBe(2);
    expect(world.said.stderr).toContain('INFERWIRE_TOKEN_FILE names "/nowhere/no-such-file"');
  });

  it("gives a command what is written to it", async () => {
    const heard: string[] = [];
    const commands = [
      command(async (_args, _flags, { stdin }) => {
        for await (const chunk of stdin()) heard.push(String(chunk));
        return undefined;
      }),
    ];
    await runCli(["resolve"], commands, recordedWorld({ input: "hello" }));
    expect(heard).toEqual(["hello"]);
  });

  describe("with commands below one", () => {
    /** `directory`, with `ls` below it. */
    const below = (seen: unknown[]): readonly CliCommand[] => [
      {
        name: "directory",
        summary: "run one",
        examples: [],
        configure: (each) => void each.option("--endpoint <address>"),
        commands: [
          {
            name: "ls",
            summary: "list",
            examples: [{ line: "directory ls", what: "an example" }],
            tokenOption: "directoryToken",
            configure: (each) => void each.argument("[name]").option("--all"),
            run: async (args, flags, { token }) => void seen.push("ls", args, flags, token),
          },
        ],
        run: async (_args, flags) => void seen.push("directory", flags),
      },
    ];

    it("runs the one that is named, with its own flags and its own token", async () => {
      const seen: unknown[] = [];
      const env = { INFERWIRE_TOKEN: "a", INFERWIRE_DIRECTORY_TOKEN: "b" };
      const world = recordedWorld({ env });
      expect(await runCli(["directory", "ls", "x", "--all"], below(seen), world)).toBe(0);
      expect(await runCli(["directory", "--endpoint", ":1"], below(seen), world)).toBe(0);
      expect(seen).toEqual(["ls", ["x"], { all: true }, "b", "directory", { endpoint: ":1" }]);
    });

    it.each([
      [["directory", "lss"], "(Did you mean ls?)"],
      [["directory", "lss", "--to", "x"], "(Did you mean ls?)"],
      [["directory", "--endpoint", ":1", "lss"], "(Did you mean ls?)"],
      [["directory", "\u001b[2Jx"], "unknown command '\\u001b[2Jx' of directory\n(known: ls)"],
      [["directory", "--endpoint", ":1", "ls"], "--endpoint stands before ls"],
      [["directory", "ls", "--endpoint", ":1"], "unknown option '--endpoint'"],
    ])("refuses %j and runs nothing", async (args, text) => {
      const seen: unknown[] = [];
      const world = recordedWorld();
      expect(await runCli(args, below(seen), world)).toBe(2);
      expect(world.said.stderr).toContain(text);
      expect(seen).toEqual([]);
    });

    it("shows them in the help of the one above, and theirs behind their names", async () => {
      const above = recordedWorld();
      expect(await runCli(["directory", "--help"], below([]), above)).toBe(0);
      expect(above.said.stdout).toMatch(/Commands:\n {2}ls \[options\] \[name\] +list/);
      const world = recordedWorld();
      expect(await runCli(["directory", "ls", "--help"], below([]), world)).toBe(0);
      expect(world.said.stdout).toContain("Usage: inferwire directory ls [options] [name]");
      expect(world.said.stdout).toContain("INFERWIRE_DIRECTORY_TOKEN_FILE");
    });
  });
});
