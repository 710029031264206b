import { describe, expect, it } from "vitest";
import {
  createHostProperties,
  type HostPropertiesOptions,
  type LiveSetting,
} from "../../../src/host/host-properties.js";
import type { ProcessorProperty } from "../../../src/processor/processor.js";
import type { LogLevel } from "../../../src/server/logger.js";

/** A setting that is kept in a variable; counts how often it was applied. */
function kept<T>(value: T, fixedBecause?: string): LiveSetting<T> & { readonly applied: T[] } {
  const applied: T[] = [];
  return {
    applied,
    read: () => applied.at(-1) ?? value,
    apply: (next) => {
      applied.push(next);
    },
    fixedBecause,
  };
}

function make(
  own: Readonly<Record<string, ProcessorProperty>> = {},
  more: Partial<HostPropertiesOptions> = {},
) {
  const live = {
    weight: kept(100),
    maxQueueLength: kept(64),
    maxQueueBytes: kept(1_000),
    requestsPerSecond: kept(0),
    callsPerLane: kept(5),
    logLevel: kept<LogLevel>("info"),
  };
  const told: Record<string, string>[] = [];
  const properties = createHostProperties({
    live,
    ranges: {
      maxQueueLength: { min: 0, max: 1_000_000 },
      maxQueueBytes: { min: 0, max: Number.MAX_SAFE_INTEGER },
      requestsPerSecond: { min: 0, max: 1_000_000, integer: false },
      callsPerLane: { min: 1, max: 1_024 },
    },
    config: () => ({
      service: "scorer",
      token: "***",
      maxQueueLength: 64,
      requestTimeoutMs: "Infinity",
      adminToken: null,
      open: ["health"],
      limits: { maxConnections: 10 },
    }),
    own,
    applyOwn: (values) => {
      told.push(Object.fromEntries(values));
    },
    ...more,
  });
  const set = (values: Record<string, string>) => properties.set(new Map(Object.entries(values)));
  return { properties, live, told, set };
}

const threshold: ProcessorProperty = {
  initial: "0.5",
  validate: (value) => (Number(value) <= 1 ? undefined : `${value} is above 1`),
};

describe("createHostProperties", () => {
  it("lists live settings, options that are fixed, and the processor's own, by name", () => {
    const { properties } = make({ threshold });
    const listed = properties.list().map(({ name, value, mutable }) => [name, value, mutable]);
    expect(listed).toEqual([
      ["adminToken", "", false],
      ["callsPerLane", "5", true],
      ["limits.maxConnections", "10", false],
      ["logLevel", "info", true],
      ["maxQueueBytes", "1000", true],
      ["maxQueueLength", "64", true],
      ["open", '["health"]', false],
      ["requestTimeoutMs", "Infinity", false],
      ["requestsPerSecond", "0", true],
      ["service", "scorer", false],
      ["threshold", "0.5", true],
      ["token", "***", false],
      ["weight", "100", true],
    ]);
    for (const { help } of properties.list()) expect(help).toMatch(/^.+$/);
    const help = properties.list().find(({ name }) => name === "callsPerLane")?.help;
    expect(help).toMatch(/\(1 to 1024\)$/);
  });

  it("sets values, and answers with those that were set", () => {
    const { live, set, told } = make();
    const answer = set({
      weight: "0.5",
      maxQueueLength: "0",
      maxQueueBytes: "1e3",
      requestsPerSecond: "1.5",
      callsPerLane: "1024",
      logLevel: "debug",
    });
    expect(answer.map(({ name, value }) => [name, value])).toEqual([
      ["callsPerLane", "1024"],
      ["logLevel", "debug"],
      ["maxQueueBytes", "1000"],
      ["maxQueueLength", "0"],
      ["requestsPerSecond", "1.5"],
      ["weight", "0.5"],
    ]);
    expect(live.weight.applied).toEqual([0.5]);
    expect(told).toEqual([]);
  });

  it.each([
    ["weight", "-1", /weight is -1, expected 0 to 1000000/],
    ["weight", "heavy", /weight is "heavy", expected a number/],
    ["weight", "", /weight is "", expected a number/],
    ["weight", "0x10", /expected a number/],
    ["weight", "Infinity", /expected a number/],
    ["weight", "1e400", /weight is Infinity/],
    ["maxQueueLength", "1.5", /maxQueueLength is 1.5, expected an integer from 0 to 1000000/],
    ["maxQueueLength", "1000001", /expected an integer from 0/],
    ["maxQueueBytes", "-1", /maxQueueBytes is -1/],
    ["requestsPerSecond", "1000001", /expected a number from 0/],
    ["callsPerLane", "0", /callsPerLane is 0, expected an integer from 1 to 1024/],
    ["logLevel", "inof", /logLevel is "inof", did you mean "info"/],
    ["service", "other", /service cannot be changed while the host runs/],
    ["token", "mine", /token cannot be changed/],
    ["limits.maxConnections", "1", /cannot be changed/],
    ["threshold", "2", /threshold: 2 is above 1/],
  ])("refuses %s = %j, and applies nothing then", (name, value, message) => {
    const { live, set, told, properties } = make({ threshold });
    const setting = (): unknown => set({ maxQueueLength: "1", threshold: "1", [name]: value });
    expect(setting).toThrow(message);
    expect(setting).toThrow(expect.objectContaining({ reason: "PROPERTY_REFUSED" }));
    for (const { applied } of Object.values(live)) expect(applied).toEqual([]);
    expect(told).toEqual([]);
    expect(properties.own.get("threshold")).toBe("0.5");
  });

  it("refuses names that do not exist", () => {
    expect(() => make().set({ wieght: "1" })).toThrow(
      expect.objectContaining({ reason: "UNKNOWN_PROPERTY" }),
    );
  });

  it("refuses a live setting that this host cannot change, and says why", () => {
    const logLevel = kept<LogLevel>("info", "the logger is the program's own");
    const { live } = make();
    const { set, properties } = make({}, { live: { ...live, logLevel } });
    expect(properties.list().find(({ name }) => name === "logLevel")?.mutable).toBe(false);
    expect(() => set({ logLevel: "debug" })).toThrow(/logger is the program's own/);
  });

  it("tells the lanes all of the processor's values when one was set", () => {
    const { set, told, properties } = make({ threshold, mode: { initial: "fast" } });
    const own = properties.own;
    set({ threshold: "1", weight: "1" });
    expect(told).toEqual([{ threshold: "1", mode: "fast" }]);
    expect(own.get("threshold")).toBe("1");
    set({ mode: "" });
    expect(told.at(-1)).toEqual({ threshold: "1", mode: "" });
  });

  it("takes a validate() that throws for a refusal", () => {
    let broken = false;
    const validate = (): undefined => {
      if (broken) throw new Error("secret");
    };
    const { set } = make({ mode: { initial: "a", validate } });
    broken = true;
    expect(() => set({ mode: "b" })).toThrow(/^mode: its validate\(\) threw$/);
  });

  it.each([
    ["a host setting's name", { weight: { initial: "1" } }, /has the name of a property/],
    ["a fixed option's name", { service: { initial: "x" } }, /has the name of a property/],
    ["a name that cannot be used", { "a b": { initial: "x" } }, /cannot be used/],
    ["an initial value that it refuses", { t: { ...threshold, initial: "7" } }, /7 is above 1/],
    ["no initial value", { t: {} as ProcessorProperty }, /starts as undefined/],
  ])("refuses a processor's property with %s", (_, own, message) => {
    const making = (): unknown => make(own);
    expect(making).toThrow(message);
    expect(making).toThrow(expect.objectContaining({ reason: "INVALID_OPTION" }));
  });
});
