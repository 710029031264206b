import { format } from "node:util";
import { setLogger } from "@grpc/grpc-js";

// What grpc-js says of a header that it cannot take, followed by the header's value.
const DROPPED_HEADER = "Failed to add metadata entry";

let kept = false;

/**
 * Keeps grpc-js from writing headers that it drops to stderr, one line each with the value: a token with a tab in it
 * would stand in the log, and strangers could fill it. Everything else it says goes to stderr as before. grpc-js has
 * one logger for the whole process; an application that wants its own sets it after its first host or directory.
 */
export function keepHeadersOutOfGrpcLog(): void {
  if (kept) return;
  kept = true;
  setLogger({ error: say("E"), info: say("I"), debug: say("D") });
}

function say(level: string): (message: unknown, ...rest: unknown[]) => void {
  return (message, ...rest) => {
    if (typeof message === "string" && message.startsWith(DROPPED_HEADER)) return;
    process.stderr.write(`${format(`${level} ${message}`, ...rest)}\n`);
  };
}
