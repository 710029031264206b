import { type Logger as PinoLogger, pino } from "pino";
import type { Logger } from "../core/ports.js";

/** Least level of lines that are written. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** A logger whose level can be changed. */
export interface LeveledLogger extends Logger {
  /** Least level of lines that are written from now on. */
  level: string;
}

/** Tells whether a logger is one whose level can be changed. */
export function isLeveled(logger: Logger): logger is LeveledLogger {
  return "level" in logger && typeof logger.level === "string";
}

/** Where the lines of the kit's own logger go. */
export interface LogTarget {
  /** @defaultValue `"stdout"` */
  readonly stream?: "stdout" | "stderr";
  /** One JSON object a line also on a terminal. @defaultValue false */
  readonly json?: boolean;
}

/** Makes the kit's own logger: text lines on a terminal, one JSON object a line otherwise. */
export function createLogger(
  level: LogLevel,
  { stream = "stdout", json = false }: LogTarget = {},
): LeveledLogger {
  const sink = process[stream];
  const logger: PinoLogger =
    sink.isTTY === true && !json
      ? pino({ level, base: null }, { write: (line) => sink.write(textLine(line)) })
      : pino(
          { level, formatters: { level: (label) => ({ level: label }) } },
          pino.destination({ dest: sink.fd, sync: true }),
        );
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
  return `${stack}[${name}] ${plain(String(msg))}${pairs.length > 0 ? `  ${pairs.join(" ")}` : ""}\n`;
}

// Before the line itself, so that what went wrong stands on the last line.
function stackOf(err: unknown): string {
  if (typeof err !== "object" || err === null || !("stack" in err)) return "";
  return `${String(err.stack).split("\n").map(escaped).join("\n")}\n`;
}

// Control characters would make lines and colours of their own on a terminal.
const CONTROL = /\p{Cc}/u;
const CONTROLS = /\p{Cc}/gu;

function plain(value: unknown): string {
  if (typeof value === "string" && !CONTROL.test(value)) return value;
  return escaped(JSON.stringify(value) ?? "undefined");
}

function escaped(text: string): string {
  return text.replace(CONTROLS, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
