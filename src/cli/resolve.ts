import { configureChannelFlags } from "./channel-flags.js";
import type { CliCommand } from "./command.js";
import type { ResolveFlags } from "./resolve/flags.js";

/** `inferwire resolve`: lists the instances of a target. */
export const resolveCommand: CliCommand<ResolveFlags> = {
  name: "resolve",
  summary: "list the instances that a target stands for, with their share of the traffic",
  examples: [
    { line: "resolve directory://127.0.0.1:8100/sentiment", what: "what a directory lists" },
    {
      line: "resolve directory://127.0.0.1:8100/sentiment --watch",
      what: "and every change of it, until Ctrl+C",
    },
    {
      line: "resolve http://127.0.0.1:8100/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/sentiment",
      what: "what EAS's discovery lists",
    },
  ],
  configure(command) {
    command
      .argument("<target>", "directory://HOST:PORT/SERVICE, or any other target")
      .option("--watch", "go on, and print every change until Ctrl+C");
    configureChannelFlags(command);
  },
  async run([target = ""], flags, context) {
    const { runResolve } = await import("./resolve/run-resolve.js");
    await runResolve(target, flags, context);
    return undefined;
  },
};
