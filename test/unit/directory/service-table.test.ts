import { describe, expect, it } from "vitest";
import { instanceOf } from "../../../src/core/instance.js";
import type { HeldRegistration } from "../../../src/directory/service-entry.js";
import {
  createServiceTable,
  type ServiceTable,
  type ServiceTableOptions,
} from "../../../src/directory/service-table.js";

interface Fixture {
  readonly table: ServiceTable<HeldRegistration>;
  register(name: string, more?: { service?: string; weight?: number; port?: number }): void;
  weigh(service: string, instance: string, weight?: number): void;
  share(group: string, ...members: readonly string[]): void;
  listed(service?: string): readonly string[];
}

function fixture(options?: ServiceTableOptions): Fixture {
  const table = createServiceTable(options);
  return {
    table,
    register(name, { service = "mnist", weight = 100, port = name.charCodeAt(0) } = {}) {
      table.register({ service, instance: instanceOf({ name, host: "10.0.0.1", port, weight }) });
    },
    weigh(service, instance, weight) {
      table.setWeight({ service, instance, weight });
    },
    share(group, ...members) {
      table.setTraffic({ group, shares: new Map(members.map((member) => [member, 1])) });
    },
    listed: (service = "mnist") =>
      table.list(service).instances.map(({ name, weight }) => `${name}=${weight}`),
  };
}

const full = expect.objectContaining({
  code: 8,
  message: expect.stringContaining("as many as it takes"),
});

describe("the bounds of a service table", () => {
  it("hold for operators' weights and shares over all services", () => {
    const { register, weigh, share } = fixture({
      bounds: { maxServices: 9, maxInstancesPerService: 9, maxInstances: 4 },
    });
    register("a");
    for (const name of ["a", "b"]) weigh("mnist", name, 1);
    for (const service of ["x", "y"]) weigh(service, "a", 1);
    expect(() => weigh("z", "a", 1)).toThrow(full);
    // What has registered goes before what never did.
    weigh("mnist", "c", 1);
    weigh("mnist", "d", 1);
    expect(() => weigh("mnist", "e", 1)).toThrow(full);
    weigh("mnist", "d", undefined);
    share("g", "n");
    expect(() => share("g", "n", "m")).toThrow(full);
    share("g", "m");
  });

  it("never keep a registration out for the sake of weights of what never registered", () => {
    const { register, weigh, listed } = fixture({
      bounds: { maxServices: 2, maxInstancesPerService: 9, maxInstances: 9 },
    });
    weigh("x", "a", 1);
    weigh("y", "a", 1);
    register("a");
    register("a", { service: "other" });
    expect([listed(), listed("other")]).toEqual([["a=100"], ["a=100"]]);
  });

  it("are the same for those who only ask", () => {
    const { table, register, weigh } = fixture({
      bounds: { maxServices: 1, maxInstancesPerService: 1, maxInstances: 1 },
    });
    register("a");
    weigh("mnist", "a", 1);
    const { version } = table.list("mnist");
    table.checkRegistration("mnist", "a");
    expect(() => table.checkRegistration("mnist", "b")).toThrow(full);
    expect(() => table.checkRegistration("other", "a")).toThrow(full);
    expect(() => table.checkWeight({ service: "mnist", instance: "b", weight: 1 })).toThrow(full);
    expect(() => table.checkTraffic({ group: "g", shares: new Map([["x", 1]]) })).toThrow(full);
    table.checkWeight({ service: "other", instance: "b", weight: undefined });
    expect(table.list("mnist").version).toBe(version);
  });

  it("tell the readers of a service that made room", () => {
    const { table, register } = fixture({
      bounds: { maxServices: 1, maxInstancesPerService: 9, maxInstances: 9 },
    });
    register("a");
    table.remove("mnist", "a");
    const { version } = table.list("mnist");
    const told: string[] = [];
    table.onChange((service) => told.push(service));
    register("a", { service: "other" });
    expect(told).toEqual(["mnist", "other"]);
    expect(table.list("mnist")).toMatchObject({ known: false });
    expect(table.list("mnist").version).not.toBe(version);
  });
});

describe("lists of a service table", () => {
  it("of a group have no weight too small to be taken, and 0 stays 0", () => {
    const { table, register, listed } = fixture();
    register("a", { service: "g.n", weight: 1e-6 });
    register("b", { service: "g.n", weight: 1_000_000 });
    register("c", { service: "g.n", weight: 0 });
    register("d", { service: "g.m", weight: 1 });
    const shares = new Map([
      ["n", 1e-6],
      ["m", 1_000_000],
    ]);
    table.setTraffic({ group: "g", shares });
    expect(listed("g")).toEqual(["d=99.9999999999", "a=0.000001", "b=0.000001", "c=0"]);
  });

  it("change, all of them, when they become stale and fresh again", () => {
    const { table, register, share } = fixture();
    register("a");
    share("g", "x");
    const told: string[] = [];
    table.onChange((service) => told.push(service));
    const names = ["mnist", "g", "nobody"];
    const versions = (): readonly string[] =>
      names.map((name) => `${name} ${table.list(name).version}`);
    const first = table.list("mnist").version;
    const before = versions();
    table.setStale(false);
    expect(told).toEqual([]);
    table.setStale(true);
    expect(told).toEqual(["mnist", "g"]);
    expect(names.map((name) => table.list(name).stale)).toEqual([true, true, true]);
    const stale = versions();
    register("b");
    table.setStale(false);
    const fresh = versions();
    expect(new Set([...before, ...stale, ...fresh]).size).toBe(9);
    expect(table.difference("mnist", first)).toMatchObject({ changed: [{ name: "b" }] });
  });

  it("have a difference as far back as the log reaches, and no further", () => {
    const { table, register } = fixture();
    for (let port = 1; port <= 3_000; port++) register(`i${port}`, { port });
    const versions: string[] = [];
    for (let turn = 0; turn < 1_500; turn++) {
      versions.push(table.list("mnist").version);
      register("i1", { port: 1, weight: turn });
    }
    const reaches = versions.map((version) => table.difference("mnist", version) !== undefined);
    expect(reaches[0]).toBe(false);
    expect(reaches.at(-500)).toBe(true);
    expect(reaches.indexOf(true)).toBe(reaches.lastIndexOf(false) + 1);
    expect(table.difference("mnist", versions.at(-500) ?? "")?.changed.length).toBe(1);
  });

  it("have none from before the service was forgotten", () => {
    const { table, register } = fixture({
      bounds: { maxServices: 1, maxInstancesPerService: 9, maxInstances: 9 },
    });
    register("a");
    register("b");
    const { version } = table.list("mnist");
    for (const name of ["a", "b"]) table.remove("mnist", name);
    register("x", { service: "other" });
    table.remove("other", "x");
    for (const name of ["c", "d", "e", "f"]) register(name);
    expect(table.difference("mnist", version)).toBeUndefined();
  });

  it("of a group that ends are those of a service again", () => {
    const { table, register, share } = fixture();
    register("a", { service: "g.x" });
    share("g", "x");
    expect(table.removeTraffic("g")).toBe(true);
    expect(table.removeTraffic("g")).toBe(false);
    expect(table.list("g")).toMatchObject({ known: false, instances: [] });
    register("a", { service: "g" });
  });

  it("of a service can be known without anybody", () => {
    const { table, weigh } = fixture();
    weigh("mnist", "a", 1);
    const { version } = table.list("mnist");
    expect(table.setKnown("mnist")).toBe(true);
    expect(table.setKnown("mnist")).toBe(false);
    expect(table.list("mnist")).toMatchObject({ known: true, instances: [] });
    expect(table.list("mnist").version).not.toBe(version);
    expect([...table.knownServices()]).toEqual(["mnist"]);
    expect([...table.weights()]).toEqual([{ service: "mnist", instance: "a", weight: 1 }]);
  });
});
