import { Argument } from "commander";
import { builtins } from "../builtin/registry.js";
import { type BuiltinFlags, configureBuiltinFlags } from "./builtin/flags.js";
import type { CliCommand } from "./command.js";

/** `inferwire builtin`: runs a builtin of instances, over HTTP. */
export const builtinCommand: CliCommand<BuiltinFlags> = {
  name: "builtin",
  summary:
    "run a builtin (ping, prop, monitor, term, ...) on every instance of a target, or on one",
  examples: [
    { line: "builtin ping 127.0.0.1:8080", what: "who is there" },
    {
      line: "builtin prop directory://127.0.0.1:8100/sentiment",
      what: "the properties of every instance",
    },
    {
      line: "builtin prop directory://127.0.0.1:8100/sentiment --set maxQueueLength=10 --all",
      what: "set a property on every instance",
    },
    {
      line: "builtin eastool 127.0.0.1:8080 --query report=config",
      what: "one report of a diagnosis",
    },
    {
      line: "builtin term directory://127.0.0.1:8100/sentiment --instance 127.0.0.1:8080",
      what: "stop one instance in order",
    },
  ],
  configure(command) {
    command
      .addArgument(
        new Argument("<name>", "which builtin").choices(builtins.map(({ name }) => name)),
      )
      .argument("<target>", "host:port, directory://HOST:PORT/SERVICE, or any other target");
    configureBuiltinFlags(command);
  },
  async run([name = "", target = ""], flags, context) {
    const { runBuiltin } = await import("./builtin/run-builtin.js");
    return await runBuiltin(name, target, flags, context);
  },
};
