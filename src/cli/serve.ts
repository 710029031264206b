import { servingError } from "../core/serving-error.js";
import type { CliCommand } from "./command.js";
import { configureServeFlags, type ServeFlags } from "./serve/flags.js";

/** `inferwire serve`: hosts a processor or typed service. */
export const serveCommand: CliCommand<ServeFlags> = {
  name: "serve",
  summary: "host the processor of a module, or of a service description",
  tokenMeans: "token that callers must send",
  examples: [
    { line: "serve main.ts --watch", what: "host a module, and again whenever it changes" },
    { line: "serve app.json", what: "host what a service description names" },
    {
      line: "serve main.js --endpoint :8080 --worker-processes 4 --set maxQueueLength=200",
      what: "options as flags; --set takes any",
    },
  ],
  configure(command) {
    command.argument("<module>", "module with the processor, or service description (.json)");
    configureServeFlags(command);
  },
  async run([argument], flags, context) {
    if (argument === undefined) {
      throw servingError("INVALID_OPTION", "the module is missing, expected a file");
    }
    const { runServe } = await import("./serve/run-serve.js");
    return await runServe({ argument, flags, env: context.env, folder: context.folder }, context);
  },
};
