import { describe, expect, it } from "vitest";
import {
  type DirectoryOptions,
  directoryDefaults,
  resolveDirectoryOptions,
} from "../../../src/directory/directory-options.js";

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
    [{ store: "redis" }, 'store is "redis"'],
    [{ store: "file:/tmp/x" }, "not in this version"],
    [{ store: "etcd://a:2379/p" }, "not in this version"],
    [{ readToken: "r" }, "readToken is set and token is not"],
    [{ reduceWeights: "yes" }, "reduceWeights is"],
    [{ limits: { maxMessageBytes: 0 } }, "limits.maxMessageBytes is 0"],
    [{ tokn: "x" }, 'did you mean "token"?'],
  ])("refuses %j", (options, message) => {
    expect(() => resolveDirectoryOptions(options as DirectoryOptions)).toThrow(
      expect.objectContaining({ name: "ConfigError", message: expect.stringContaining(message) }),
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
