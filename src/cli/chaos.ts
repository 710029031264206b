import { type ChaosFlags, configureChaosFlags } from "./chaos/flags.js";
import type { CliCommand } from "./command.js";

/** `inferwire chaos`: hurts a host of the user's processor, and judges what becomes of its calls. */
export const chaosCommand: CliCommand<ChaosFlags> = {
  name: "chaos",
  summary: "hurt a host of your processor under load, and see whether every bar holds",
  examples: [
    { line: "chaos ./model.js", what: "all faults, half a minute, payloads without content" },
    {
      line: "chaos ./model.js --data @request.bin --duration 120 --seed 7",
      what: "longer, with a payload of your own, and repeatable",
    },
    {
      line: `chaos ./service.ts --method Classify --data '{"text":"a fine day"}' --faults kill,restart`,
      what: "a typed method, and two faults only",
    },
  ],
  configure(command) {
    command.argument("<module>", "module with a processor, as for serve");
    configureChaosFlags(command);
  },
  async run([module = ""], flags, context) {
    const { runChaos } = await import("./chaos/run-chaos.js");
    return await runChaos(module, flags, context);
  },
};
