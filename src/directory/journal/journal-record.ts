import { crc32 } from "node:zlib";
import { sharesFromJson } from "../../core/group-name.js";
import { type Instance, instanceOf, isServiceName, weightProblem } from "../../core/instance.js";
import { isRecord } from "../../core/record.js";
import type { TrafficSetting, WeightSetting } from "../../wire/upstream-registration.js";

/** Format that this version writes; it reads no newer one. */
export const JOURNAL_FORMAT = 1;

const JOURNAL_NAME = "inferwire directory";

/** First line of a journal. */
export interface JournalHeader {
  readonly type: "header";
  readonly format: number;
  /** Made up when the journal began. */
  readonly id: string;
}

/** An instance that was registered, or took over, under a lease of that id; the same holder kept the one that it had. */
export interface RegisterRecord {
  readonly type: "register";
  readonly id: string;
  readonly service: string;
  readonly instance: Instance;
  readonly ttlMs: number;
  readonly holder: string;
}

/** What a journal holds, in the order in which it came to be. */
export type JournalRecord =
  | RegisterRecord
  /** A lease that was given back or not renewed. */
  | { readonly type: "end"; readonly id: string }
  | ({ readonly type: "weight" } & WeightSetting)
  | ({ readonly type: "traffic" } & TrafficSetting)
  /** A service that has nobody registered, and had once. */
  | { readonly type: "known"; readonly service: string };

/** A record as its line, the line end included: the checksum of what follows it, and JSON. */
export function lineFromRecord(record: JournalHeader | JournalRecord): string {
  const json = JSON.stringify(plainFrom(record));
  return `${crc32(json).toString(16).padStart(8, "0")} ${json}\n`;
}

const LINE = /^([0-9a-f]{8}) (.*)$/s;

/**
 * Reads a line, without its end.
 *
 * @returns undefined when it is not what {@link lineFromRecord} writes
 */
export function recordFromLine(line: string): JournalHeader | JournalRecord | undefined {
  const [, checksum = "", json = ""] = LINE.exec(line) ?? [];
  if (checksum === "" || crc32(json) !== Number.parseInt(checksum, 16)) return undefined;
  try {
    const plain: unknown = JSON.parse(json);
    return isRecord(plain) ? recordFrom(plain) : undefined;
  } catch {
    return undefined;
  }
}

function plainFrom(record: JournalHeader | JournalRecord): object {
  switch (record.type) {
    case "header":
      return { journal: JOURNAL_NAME, format: record.format, id: record.id };
    case "register": {
      const { type, id, service, instance, ttlMs, holder } = record;
      const { name, host, port, weight, app } = instance;
      return { type, id, service, name, host, port, weight, app, ttlMs, holder };
    }
    case "traffic": {
      const { type, group, shares, expected } = record;
      const wanted = expected && Object.fromEntries(expected);
      return { type, group, shares: Object.fromEntries(shares), expected: wanted };
    }
    case "end":
    case "weight":
    case "known":
      return record;
  }
}

type Plain = Readonly<Record<string, unknown>>;

function recordFrom(plain: Plain): JournalHeader | JournalRecord | undefined {
  const { type, id, service, instance, weight } = plain;
  if (plain["journal"] === JOURNAL_NAME) return headerFrom(plain);
  switch (type) {
    case "register":
      return registerFrom(plain);
    case "end":
      return isText(id) ? { type, id } : undefined;
    case "weight":
      if (!isService(service) || !isText(instance)) return undefined;
      if (weight === undefined) return { type, service, instance, weight };
      return isWeight(weight) ? { type, service, instance, weight } : undefined;
    case "traffic":
      return trafficFrom(plain);
    case "known":
      return isService(service) ? { type, service } : undefined;
    default:
      return undefined;
  }
}

function headerFrom({ format, id }: Plain): JournalHeader | undefined {
  return Number.isInteger(format) && isText(id)
    ? { type: "header", format: Number(format), id }
    : undefined;
}

function trafficFrom({ group, shares, expected }: Plain): JournalRecord | undefined {
  if (typeof group !== "string") return undefined;
  const read = sharesFromJson(group, shares);
  if (read === undefined) return undefined;
  const wanted = isRecord(expected) ? weightsFrom(expected) : undefined;
  return { type: "traffic", group, shares: read, expected: wanted };
}

function weightsFrom(plain: Plain): ReadonlyMap<string, number> {
  return new Map(Object.entries(plain).filter(hasWeight));
}

function registerFrom(plain: Plain): RegisterRecord | undefined {
  const { id, service, name, host, port, weight, app, ttlMs, holder } = plain;
  if (!isText(id) || !isService(service) || !isText(name) || !isText(host)) return undefined;
  if (!isPositive(port) || !isWeight(weight) || typeof app !== "string") return undefined;
  if (!isPositive(ttlMs) || typeof holder !== "string") return undefined;
  const instance = instanceOf({ name, host, port, weight, app });
  return { type: "register", id, service, instance, ttlMs, holder };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isService(value: unknown): value is string {
  return typeof value === "string" && isServiceName(value);
}

function isPositive(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}

function isWeight(value: unknown): value is number {
  return weightProblem(value) === undefined;
}

function hasWeight(entry: [string, unknown]): entry is [string, number] {
  return isWeight(entry[1]);
}
