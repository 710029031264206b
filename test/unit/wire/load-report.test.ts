import { describe, expect, it } from "vitest";
import { OrcaLoadReport } from "../../../gen/xds/data/orca/v3/orca_load_report.js";
import {
  encodeLoadReport,
  loadHeader,
  readLoadHeader,
  readLoadReport,
} from "../../../src/wire/load-report.js";

const report = { utilization: 0.75, callsPerSecond: 120.5, failuresPerSecond: 2 };
const silent = { callsPerSecond: 0, failuresPerSecond: 0 };

function sent(fields: Partial<OrcaLoadReport>): Uint8Array {
  return OrcaLoadReport.encode(OrcaLoadReport.fromPartial(fields)).finish();
}

describe("readLoadReport", () => {
  it("reads what encodeLoadReport has written", () => {
    expect(readLoadReport(encodeLoadReport(report))).toEqual(report);
  });

  it.each<[string, Partial<OrcaLoadReport>, object]>([
    [
      "the application's utilization before that of the CPU",
      { applicationUtilization: 0.3, cpuUtilization: 0.9 },
      { utilization: 0.3, ...silent },
    ],
    [
      "the CPU's when the application has none",
      { cpuUtilization: 0.9 },
      { utilization: 0.9, ...silent },
    ],
    ["a utilization above 1", { cpuUtilization: 3 }, { utilization: 3, ...silent }],
    [
      "whole requests per second when there are no fractional ones",
      { cpuUtilization: 0.5, rps: 7n },
      { utilization: 0.5, callsPerSecond: 7, failuresPerSecond: 0 },
    ],
    [
      "nothing of what it does not know",
      {
        cpuUtilization: 0.5,
        namedMetrics: new Map([["queue", 3]]),
        requestCost: new Map([["tokens", Number.NaN]]),
      },
      { utilization: 0.5, ...silent },
    ],
  ])("takes %s", (_name, fields, expected) => {
    expect(readLoadReport(sent(fields))).toEqual(expected);
  });

  it.each<[string, Uint8Array]>([
    ["an empty one", new Uint8Array()],
    ["one with named metrics only", sent({ namedMetrics: new Map([["queue", 3]]) })],
    ...[Number.NaN, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300].flatMap(
      (value): [string, Uint8Array][] => [
        [`a utilization of ${value}`, sent({ applicationUtilization: value, cpuUtilization: 0.5 })],
        [`a utilization of the CPU of ${value}`, sent({ cpuUtilization: value })],
        [`${value} calls per second`, sent({ cpuUtilization: 0.5, rpsFractional: value })],
        [`${value} failures per second`, sent({ cpuUtilization: 0.5, eps: value })],
      ],
    ),
    ["2^63 whole requests per second", sent({ cpuUtilization: 0.5, rps: 2n ** 63n })],
    ["bytes that are no protobuf", Buffer.from("not a report")],
    ["one that is cut off", encodeLoadReport(report).subarray(0, -1)],
    ["100 KB", sent({ cpuUtilization: 0.5, namedMetrics: new Map([["x".repeat(100_000), 1]]) })],
  ])("takes no report from %s", (_name, bytes) => {
    expect(readLoadReport(bytes)).toBeUndefined();
  });
});

describe("readLoadHeader", () => {
  it("reads what loadHeader has written", () => {
    expect(loadHeader(report)).toBe(
      "TEXT application_utilization=0.75, rps_fractional=120.5, eps=2",
    );
    expect(readLoadHeader(loadHeader(report))).toEqual(report);
    const small = { utilization: 1e-7, callsPerSecond: 0, failuresPerSecond: 0 };
    expect(readLoadHeader(loadHeader(small))).toEqual(small);
  });

  it.each([
    'JSON {"application_utilization":0.75,"rps_fractional":120.5,"eps":2}',
    'JSON {"applicationUtilization":0.75,"rpsFractional":120.5,"eps":2,"namedMetrics":{"a":1}}',
    "TEXT cpu_utilization=0.75,rps_fractional=120.5,eps=2,named_metrics.queue=3,utilization.a=1",
    "TEXT application_utilization:0.75,cpu_utilization:0.2, rps_fractional: 120.5,eps:2",
    `BIN ${Buffer.from(encodeLoadReport(report)).toString("base64")}`,
  ])("reads %s", (text) => {
    expect(readLoadHeader(text)).toEqual(report);
  });

  it.each([
    "",
    "TEXT",
    "TEXT ",
    "cpu_utilization=0.5",
    "text cpu_utilization=0.5",
    "TEXT named_metrics.queue=3",
    "TEXT cpu_utilization=",
    "TEXT cpu_utilization=NaN",
    "TEXT cpu_utilization=-1",
    "TEXT cpu_utilization=Infinity",
    "TEXT cpu_utilization=0.5,eps=1e300",
    'TEXT cpu_utilization="0.5"',
    "JSON",
    "JSON null",
    "JSON [0.5]",
    'JSON {"cpu_utilization":"0.5"}',
    'JSON {"cpu_utilization":0.5,"eps":"NaN"}',
    'JSON {"cpu_utilization":1e999}',
    'JSON {"__proto__":{"cpu_utilization":0.5}}',
    "JSON {",
    "BIN ",
    "BIN not base64 of a report",
    `TEXT cpu_utilization=0.5,${"x".repeat(100_000)}`,
  ])("takes no report from %.60s", (text) => {
    expect(readLoadHeader(text)).toBeUndefined();
  });
});
