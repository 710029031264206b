import { describe, expect, it } from "vitest";
import { rpcMemberName } from "../../../src/core/rpc-member-name.js";
import { Processor } from "../../../src/host/base-processor.js";
import { TypedProcessor } from "../../../src/host/typed-processor.js";
import type { AnyProcessor } from "../../../src/processor/processor.js";

type KeysOf<T> = T extends unknown ? keyof T : never;

/** Every member of a processor, kept whole by the compiler: also those that only a user's class has. */
const members: Readonly<Record<KeysOf<TypedProcessor | AnyProcessor>, true>> = {
  descriptorSet: true,
  dispose: true,
  functions: true,
  initialize: true,
  isReady: true,
  middleware: true,
  onTell: true,
  process: true,
  properties: true,
  rpcs: true,
  run: true,
  start: true,
  tensorSide: true,
};

describe("rpcMemberName", () => {
  it.each(Object.keys(members))("makes way for the processor's own %s", (name) => {
    expect(rpcMemberName(name)).toBe(`${name}Rpc`);
  });

  it("knows every member of the classes themselves", () => {
    const own = [Processor, TypedProcessor].flatMap((one) =>
      Object.getOwnPropertyNames(one.prototype),
    );
    expect(own.filter((name) => rpcMemberName(name) === name)).toEqual([]);
  });

  it.each(["then", "toString", "constructor", "__proto__"])("makes way for %s", (name) => {
    expect(rpcMemberName(name)).toBe(`${name}Rpc`);
  });

  it.each(["classify", "runs", "Run"])("leaves %s as it is", (name) => {
    expect(rpcMemberName(name)).toBe(name);
  });
});
