import { type Logger as PinoLogger, pino } from "pino";
import type { Logger } from "../core/ports.js";

/** Least level of lines that are written. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** Makes the kit's own logger: text lines on a terminal, one JSON object a line otherwise. */
export function createLogger(level: LogLevel): Logger {
  const logger: PinoLogger =
    process.stdout.isTTY === true
      ? pino({ level, base: null }, { write: (line) => process.stdout.write(textLine(line)) })
      : pino({ level, formatters: { level: (label) => ({ level: label }) } });
  return logger;
}

const levelNames: Readonly<Record<number, string>> = {
  20: "DEBUG",
  30: "INFO",
  40: "WARNING",
  50: "ERROR",
};

/** Writes one of pino's JSON lines as people read it: `[INFO] message  key=value`. */
export function textLine(line: string): string {
  const { level, time: _time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${plain(value)}`);
  const stack = stackOf(err);
  const name = levelNames[Number(level)] ?? String(level);
  return `${stack}[${name}] ${String(msg)}${pairs.length > 0 ? `  ${pairs.join(" ")}` : ""}\n`;
}

// Before the line itself, so that what went wrong stands on the last line.
function stackOf(err: unknown): string {
  if (typeof err !== "object" || err === null || !("stack" in err)) return "";
  return `${String(err.stack)}\n`;
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
