import { describe, expect, it } from "vitest";
import {
  type DirectoryOptions,
  directoryDefaults,
  resolveDirectoryOptions,
} from "../../../src/directory/directory-options.js";
import type { StoreKind } from "../../../src/directory/store-kind.js";

describe("resolveDirectoryOptions", () => {
  it("fills what is not said", () => {
    expect(resolveDirectoryOptions()).toMatchObject({
      endpoint: { host: "127.0.0.1", port: 8100 },
      token: undefined,
      readToken: undefined,
      reduceWeights: false,
    });
  });

  it("takes its defaults as they are", () => {
    expect(resolveDirectoryOptions(directoryDefaults)).toEqual(resolveDirectoryOptions());
  });

  it.each<[object, string]>([
    [{ endpoint: "here" }, "endpoint is"],
    [{ storeTls: {} }, 'storeTls is given and store is "memory"'],
    [{ store: "etcd://a:2379/p", storeTls: { cart: "" } }, 'did you mean "cert"?'],
    [{ readToken: "r" }, "readToken is set and token is not"],
    [{ reduceWeights: "yes" }, "reduceWeights is"],
    [{ limits: { maxMessageBytes: 0 } }, "limits.maxMessageBytes is 0"],
    [{ tokn: "x" }, 'did you mean "token"?'],
  ])("refuses %j", (options, message) => {
    expect(() => resolveDirectoryOptions(options as DirectoryOptions)).toThrow(
      expect.objectContaining({ name: "ConfigError", message: expect.stringContaining(message) }),
    );
  });

  it.each<[string, StoreKind]>([
    ["memory", { kind: "memory" }],
    ["file:data/d.journal", { kind: "file", path: "data/d.journal" }],
    ["file:///var/d.journal", { kind: "file", path: "/var/d.journal" }],
    ["etcd://a:1/p", { kind: "etcd", members: [{ host: "a", port: 1 }], prefix: "p/" }],
    [
      "etcd://a:1,[::1]:2//p/q",
      {
        kind: "etcd",
        members: [
          { host: "a", port: 1 },
          { host: "::1", port: 2 },
        ],
        prefix: "/p/q/",
      },
    ],
  ])("reads the store %s", (store, kind) => {
    expect(resolveDirectoryOptions({ store }).store).toEqual(kind);
  });

  it.each([
    ["redis", "expected memory, file:PATH or etcd://host:port[,host:port]/PREFIX"],
    ["", 'store is ""'],
    ["file:", "names no file"],
    ["file:/tmp/", "names no file"],
    ["file://tmp/x", "two slashes"],
    ["etcd:a:1/p", "names no member"],
    ["etcd:///p", "names no member"],
    ["etcd://a:1", "names no prefix"],
    ["etcd://a:1/", "names no prefix"],
    ["etcd://a:1/p/", "no slash at the end"],
    ["etcd://a:1//", "no slash at the end"],
    ["etcd://a:1/a//b", "no part empty"],
    ["etcd://a:1/p?x=1", "question marks"],
    ["etcd://a/p", 'a member of etcd is "a", expected host:port'],
    ["etcd://a:1,a:1/p", "lists a:1 twice"],
  ])("refuses the store %s", (store, message) => {
    expect(() => resolveDirectoryOptions({ store })).toThrow(
      expect.objectContaining({
        reason: "INVALID_OPTION",
        message: expect.stringContaining(message),
      }),
    );
  });

  it("shows no password of an etcd address", () => {
    expect(() => resolveDirectoryOptions({ store: "etcd://me:secret@a:1/p" })).toThrow(
      /^store is an etcd address with a user or password, expected/,
    );
  });

  it("refuses TLS and loggers that cannot be used, before anything is opened", () => {
    const material = { cert: "c", key: "k" };
    const misspelt: object = { ...material, clientCA: "x" };
    expect(() => resolveDirectoryOptions({ tls: misspelt as typeof material })).toThrow(
      'tls has no option "clientCA", did you mean "clientCa"?',
    );
    expect(() => resolveDirectoryOptions({ tls: material })).toThrow(/^tls cannot be used/);
    expect(() => resolveDirectoryOptions({ logger: {} as never })).toThrow(
      'logger has no method "debug"',
    );
  });
});
