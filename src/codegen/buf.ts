import { execFile } from "node:child_process";
import { isRecord } from "../core/record.js";
import { servingError } from "../core/serving-error.js";
import type { ProtoProblem } from "./proto-problem.js";

/** How a run of buf ended. */
export interface BufRun {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs buf in one folder. */
export type Buf = (...args: readonly string[]) => Promise<BufRun>;

/** What buf is run with. */
export interface BufOptions {
  /** Its file for Node. */
  readonly program: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends it, and the run is CANCELLED. */
  readonly signal: AbortSignal;
}

/** What a plugin or a linter says of thousands of files. */
const MAX_OUTPUT_BYTES = 256 * 2 ** 20;

/** Makes a function that runs buf. */
export function createBuf({ program, folder, env, signal }: BufOptions): Buf {
  return (...args) =>
    new Promise((resolve, reject) => {
      const options = { cwd: folder, env, signal, maxBuffer: MAX_OUTPUT_BYTES };
      execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) => {
        if (signal.aborted) {
          reject(servingError("CANCELLED", "stopped before buf had ended", { cause: error }));
        } else if (error !== null && typeof error.code !== "number") {
          reject(error);
        } else {
          resolve({ ok: error === null, stdout, stderr });
        }
      });
    });
}

/**
 * Reads what a run that failed has said: its lines of JSON (`--error-format json`), else lines of a plugin that name a place,
 * else its text.
 */
export function problemsOf({ stdout, stderr }: BufRun): readonly ProtoProblem[] {
  const lines = [...stdout.split("\n"), ...stderr.split("\n")].filter((line) => line.trim() !== "");
  const problems = lines.flatMap((line) => problemOfJson(line) ?? []);
  if (problems.length > 0) return problems;
  const placed = problemsInText(stderr);
  if (placed.length > 0) return placed;
  const text = lines.join("\n").replace(/^Failure: /, "");
  return [{ message: text === "" ? "buf failed, and said nothing" : text }];
}

/** Reads lines that name a place: `FILE:LINE:COLUMN: text`. */
export function problemsInText(text: string): readonly ProtoProblem[] {
  return text.split("\n").flatMap((line) => problemOfPlace(line) ?? []);
}

function problemOfJson(line: string): ProtoProblem | undefined {
  if (!line.startsWith("{")) return undefined;
  const said = parsed(line);
  if (!isRecord(said) || typeof said["message"] !== "string") return undefined;
  const { path, start_line, start_column, type, message } = said;
  // Of what has gone there is no file, but a line.
  const place =
    typeof path === "string" && typeof start_line === "number" && typeof start_column === "number"
      ? { file: path, line: start_line, column: start_column }
      : {};
  return {
    ...place,
    ...(typeof type === "string" && type !== "COMPILE" ? { rule: type } : {}),
    message,
  };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // A line of text that begins like an object.
    return undefined;
  }
}

const PLACE = /(?:^|[\s"])(\S+\.proto):(\d+):(\d+): (.*)$/;

function problemOfPlace(line: string): ProtoProblem | undefined {
  const [, file, lineNumber, column, message] = PLACE.exec(line) ?? [];
  if (file === undefined || message === undefined) return undefined;
  return { file, line: Number(lineNumber), column: Number(column), message };
}
