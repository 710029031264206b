import { benchCommand } from "./bench.js";
import { builtinCommand } from "./builtin.js";
import { callCommand } from "./call.js";
import { chaosCommand } from "./chaos.js";
import type { CliCommand } from "./command.js";
import { completionCommand } from "./completion.js";
import { directoryCommand } from "./directory.js";
import { generateCommand } from "./generate.js";
import { initCommand } from "./init.js";
import { packCommand } from "./pack.js";
import { resolveCommand } from "./resolve.js";
import { serveCommand } from "./serve.js";

/** Every command, in the order in which the help shows them. */
export const commands: readonly CliCommand[] = [
  initCommand,
  generateCommand,
  serveCommand,
  callCommand,
  builtinCommand,
  resolveCommand,
  directoryCommand,
  benchCommand,
  chaosCommand,
  packCommand,
  completionCommand(() => commands),
];
