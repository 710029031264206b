import { describe, expect, it } from "vitest";
import { instanceChanges, sharesOf } from "../../../../src/cli/resolve/instance-changes.js";
import { instanceOf } from "../../../../src/core/instance.js";
import type { Snapshot } from "../../../../src/core/snapshot.js";

const instance = (port: number, weight = 100, name = "") =>
  instanceOf({ host: "h", port, weight, name });

function snapshot(instances: Snapshot["instances"], stale = false): Snapshot {
  return { version: 1, service: "s", source: "x", confirmedAtMs: 0, stale, rejected: 0, instances };
}

describe("instanceChanges", () => {
  it("tells what has come, gone, and changed its weight or name", () => {
    const before = snapshot([instance(1), instance(2), instance(3, 100, "old")]);
    const after = snapshot([instance(1, 50), instance(3, 100, "new"), instance(4)]);
    const changes = instanceChanges(before, after).map(({ change, ...rest }) => ({
      change,
      key: "instance" in rest ? rest.instance.key : undefined,
    }));
    expect(changes).toEqual([
      { change: "weight", key: "h:1" },
      { change: "renamed", key: "h:3" },
      { change: "added", key: "h:4" },
      { change: "removed", key: "h:2" },
    ]);
  });

  it("takes a first list for additions, and tells of staleness both ways", () => {
    expect(instanceChanges(undefined, snapshot([instance(1)]))).toMatchObject([
      { change: "added" },
    ]);
    const list = snapshot([]);
    expect(instanceChanges(list, snapshot([], true))).toEqual([{ change: "stale" }]);
    expect(instanceChanges(snapshot([], true), list)).toEqual([{ change: "fresh" }]);
    expect(instanceChanges(list, list)).toEqual([]);
  });
});

describe("sharesOf", () => {
  it("is in percent with one decimal; 0 where nobody has weight", () => {
    expect([...sharesOf([instance(1, 1), instance(2, 2)]).values()]).toEqual([33.3, 66.7]);
    expect([...sharesOf([instance(1, 0)]).values()]).toEqual([0]);
    expect(sharesOf([]).size).toBe(0);
  });
});
