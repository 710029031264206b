import { describe, expect, it } from "vitest";
import { instanceOf } from "../../../src/core/instance.js";
import {
  registrationFromEntry,
  registrationValue,
} from "../../../src/directory/etcd/etcd-registration.js";
import type { EtcdEntry } from "../../../src/wire/etcd.js";

const entryOf = (value: Uint8Array): EtcdEntry => {
  return { key: "p/g.s/x", value, modRevision: 2n, lease: 3n };
};
const read = (json: unknown) =>
  registrationFromEntry("g.s", "x", entryOf(Buffer.from(JSON.stringify(json))));

describe("registrationValue and registrationFromEntry", () => {
  it("are each other's inverse", () => {
    const instance = instanceOf({ name: "x", host: "::1", port: 80, weight: 0.5, app: "a" });
    const written = { instance, weight: 7, holderHash: "abc", ttlMs: 2_500 };
    const { registration } = registrationFromEntry("g.s", "x", entryOf(registrationValue(written)));
    expect(registration).toMatchObject({ ...written, service: "g.s", lease: 3n });
  });

  it("takes what others write for their own weight, held by nobody", () => {
    expect(read({ Addr: "10.0.0.1:80", Metadata: { weight: 5 } }).registration).toMatchObject({
      instance: { name: "x", weight: 5, app: "g.s" },
      weight: 5,
      holderHash: "",
      ttlMs: 0,
    });
  });

  it.each([
    [{ Op: 0, Addr: "example.org:80" }, "expected an IP address"],
    [{ Addr: "10.0.0.1:80", Metadata: { registeredWeight: "1" } }, "registeredWeight"],
    [{ Addr: "10.0.0.1:80", Metadata: { registeredWeight: -1 } }, "weight is -1"],
    [[], "JSON object"],
  ])("refuses %j", (json, problem) => {
    expect(read(json).problem).toContain(problem);
  });
});
