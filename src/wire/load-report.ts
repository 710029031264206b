import { OrcaLoadReport } from "../../gen/xds/data/orca/v3/orca_load_report.js";
import type { LoadReport } from "../core/load-report.js";

/** Trailer that carries a load report over gRPC, as protobuf. */
export const LOAD_TRAILER = "endpoint-load-metrics-bin";

/** Header that carries a load report over HTTP, as text. */
export const LOAD_HEADER = "endpoint-load-metrics";

/** Longer than any report that somebody means: names of metrics are short, and there are few. */
const MAX_REPORT_BYTES = 16 * 1024;

/** Above these nobody means what was sent. */
const MAX_UTILIZATION = 1_000;
const MAX_RATE = 1_000_000_000;

/** The fields of a report that the kit knows. */
interface ReportFields {
  readonly applicationUtilization: number;
  readonly cpuUtilization: number;
  readonly rps: number;
  readonly rpsFractional: number;
  readonly eps: number;
}

/** The same fields as they are named in text. */
const textNames: Readonly<Record<keyof ReportFields, string>> = {
  applicationUtilization: "application_utilization",
  cpuUtilization: "cpu_utilization",
  rps: "rps",
  rpsFractional: "rps_fractional",
  eps: "eps",
};

/** Writes a load report as the trailer {@link LOAD_TRAILER} has it. */
export function encodeLoadReport(report: LoadReport): Uint8Array {
  const { utilization, callsPerSecond, failuresPerSecond } = report;
  return OrcaLoadReport.encode(
    OrcaLoadReport.fromPartial({
      applicationUtilization: utilization,
      rpsFractional: callsPerSecond,
      eps: failuresPerSecond,
    }),
  ).finish();
}

/**
 * Reads the trailer {@link LOAD_TRAILER}.
 *
 * @returns undefined for what is no report, says nothing, or nothing that can be true: it comes from outside and decides
 *   where calls go
 */
export function readLoadReport(bytes: Uint8Array): LoadReport | undefined {
  if (bytes.length > MAX_REPORT_BYTES) return undefined;
  try {
    const fields = OrcaLoadReport.decode(bytes);
    return reportOf({ ...fields, rps: Number(fields.rps) });
  } catch {
    // Not a report: the call that it came with is none the worse for it.
    return undefined;
  }
}

/** Writes a load report as the header {@link LOAD_HEADER} has it. */
export function loadHeader(report: LoadReport): string {
  const { utilization, callsPerSecond, failuresPerSecond } = report;
  const fields = [
    `${textNames.applicationUtilization}=${utilization}`,
    `${textNames.rpsFractional}=${callsPerSecond}`,
    `${textNames.eps}=${failuresPerSecond}`,
  ];
  return `TEXT ${fields.join(", ")}`;
}

/**
 * Reads the header {@link LOAD_HEADER}: `TEXT name=number, ...`, `JSON {...}` or `BIN base64`, with names as the protobuf
 * message has them.
 *
 * @returns undefined as {@link readLoadReport}
 * Source: Envoy's `source/common/orca/orca_parser.cc`
 */
export function readLoadHeader(text: string): LoadReport | undefined {
  if (text.length > MAX_REPORT_BYTES) return undefined;
  const [, form, body = ""] = /^(TEXT|JSON|BIN) (.*)$/s.exec(text) ?? [];
  if (form === "TEXT") return reportOf(textFields(body));
  if (form === "JSON") return reportOf(jsonFields(body));
  return form === "BIN" ? readLoadReport(Buffer.from(body, "base64")) : undefined;
}

function reportOf(fields: ReportFields): LoadReport | undefined {
  const { applicationUtilization, cpuUtilization, rps, rpsFractional, eps } = fields;
  const report = {
    utilization: applicationUtilization === 0 ? cpuUtilization : applicationUtilization,
    callsPerSecond: rpsFractional === 0 ? rps : rpsFractional,
    failuresPerSecond: eps,
  };
  const { utilization, callsPerSecond, failuresPerSecond } = report;
  const believable =
    within(utilization, MAX_UTILIZATION) &&
    within(callsPerSecond, MAX_RATE) &&
    within(failuresPerSecond, MAX_RATE);
  const saysSomething = utilization > 0 || callsPerSecond > 0 || failuresPerSecond > 0;
  return believable && saysSomething ? report : undefined;
}

/** False for NaN, too. */
function within(value: number, max: number): boolean {
  return value >= 0 && value <= max;
}

function textFields(body: string): ReportFields {
  const values = new Map<unknown, string>();
  for (const field of body.split(",")) {
    // The colon is how Envoy had it first.
    const [, name, value] = /^\s*([a-z_]+)\s*[=:](.*)$/.exec(field) ?? [];
    if (value !== undefined) values.set(name, value.trim());
  }
  return fieldsOf((name) => {
    const value = values.get(name);
    return value === "" ? Number.NaN : Number(value ?? 0);
  });
}

function jsonFields(body: string): ReportFields {
  const values = parseObject(body);
  return fieldsOf((name, jsonName) => {
    const value = values.get(name) ?? values.get(jsonName) ?? 0;
    return typeof value === "number" ? value : Number.NaN;
  });
}

/** Empty for what is no object. */
function parseObject(text: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
  } catch {
    return new Map();
  }
}

function fieldsOf(read: (name: string, jsonName: string) => number): ReportFields {
  const field = (key: keyof ReportFields): number => read(textNames[key], key);
  return {
    applicationUtilization: field("applicationUtilization"),
    cpuUtilization: field("cpuUtilization"),
    rps: field("rps"),
    rpsFractional: field("rpsFractional"),
    eps: field("eps"),
  };
}
