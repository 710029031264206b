#!/usr/bin/env node
import { systemClock } from "../core/ports.js";
import { stopSignals } from "../host/stop-signals.js";
import { KIT_VERSION } from "../host/version.js";
import { commands } from "./commands.js";
import { OutputClosed, runCli } from "./run-cli.js";

const stop = new AbortController();
for (const [signal, exitCode] of stopSignals) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(exitCode);
    stop.abort();
  });
}
// Whoever read has gone, as `head -1` does: there is nobody left to tell.
process.stdout.on("error", () => stop.abort(new OutputClosed()));
process.stderr.on("error", () => {});

process.exitCode = await runCli(process.argv.slice(2), commands, {
  env: process.env,
  folder: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: () => process.stdin,
  clock: systemClock,
  signal: stop.signal,
  version: KIT_VERSION,
});
