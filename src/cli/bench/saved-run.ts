import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { isRecord } from "../../core/record.js";
import { servingError } from "../../core/serving-error.js";
import { type BenchResult, RESULT_KIND, RESULT_VERSION } from "./result.js";

/**
 * Reads a run that `--save` or `--json` has written.
 *
 * @param path - from `folder`, or absolute
 * @throws ConfigError `INVALID_OPTION` that says what is missing.
 */
export async function readSavedRun(path: string, folder: string): Promise<BenchResult> {
  const flag = `--compare ${path}`;
  let saved: unknown;
  try {
    saved = JSON.parse(await readFile(resolve(folder, path), "utf8"));
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw servingError("INVALID_OPTION", `${flag}: ${said}`, { cause });
  }
  if (!isSavedRun(saved)) {
    throw servingError(
      "INVALID_OPTION",
      `${flag} is no run that this version can read, expected what --save has written`,
    );
  }
  return saved;
}

type Shape = "number" | "string" | "boolean" | readonly [Shape] | { readonly [key: string]: Shape };

const latency: Shape = {
  p50: "number",
  p90: "number",
  p99: "number",
  "p99.9": "number",
  "p99.99": "number",
  max: "number",
  mean: "number",
};

const shape: Shape = {
  startedAt: "string",
  interrupted: "boolean",
  measuredS: "number",
  succeededPerSecond: "number",
  messages: "number",
  calls: { scheduled: "number", succeeded: "number", failed: "number", notSent: "number" },
  bytes: { sent: "number", received: "number" },
  latencyUs: latency,
  fromSendUs: latency,
  latenessUs: latency,
  curve: [["number"]],
  errors: [{ code: "string", reason: "string", message: "string", calls: "number" }],
  instances: [{ instance: "string", calls: "number", failed: "number" }],
  seconds: [
    {
      second: "number",
      calls: "number",
      succeeded: "number",
      failed: "number",
      notSent: "number",
      p50: "number",
      p99: "number",
      max: "number",
    },
  ],
  settings: { target: "string", method: "string", loop: "string", durationS: "number" },
  environment: { node: "string", platform: "string", cpu: "string", cores: "number" },
  warnings: ["string"],
};

function isSavedRun(value: unknown): value is BenchResult {
  if (!isRecord(value)) return false;
  const { kind, version } = value;
  return kind === RESULT_KIND && version === RESULT_VERSION && hasShape(value, shape);
}

function hasShape(value: unknown, expected: Shape): boolean {
  if (typeof expected === "string") return typeof value === expected;
  if (isList(expected)) {
    const [each] = expected;
    return Array.isArray(value) && value.every((item) => hasShape(item, each));
  }
  return (
    isRecord(value) && Object.entries(expected).every(([key, part]) => hasShape(value[key], part))
  );
}

function isList(expected: Shape): expected is readonly [Shape] {
  return Array.isArray(expected);
}
