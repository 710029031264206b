import { describe, expect, it } from "vitest";
import {
  isSecretName,
  packIgnorePatterns,
  pathTest,
} from "../../../../src/cli/pack/ignore-rules.js";

describe("pathTest", () => {
  it.each([
    ["x", "x", false, true],
    ["x", "a/x", false, true],
    ["x", "xx", false, false],
    ["*.log", "a/b.log", false, true],
    ["*.log", "a.log/b", false, false],
    [".env*", ".env.local", false, true],
    ["a/b", "a/b", false, true],
    ["a/b", "c/a/b", false, false],
    ["/a", "a", false, true],
    ["/a", "b/a", false, false],
    ["a/", "a", true, true],
    ["a/", "a", false, false],
    ["a/*", "a/b/c", false, false],
    ["a/**", "a/b/c", false, true],
    ["a.b", "aXb", false, false],
  ])("%s and %s (folder: %s): %s", (pattern, path, isFolder, expected) => {
    expect(pathTest([pattern])(path, isFolder)).toBe(expected);
  });
});

describe("packIgnorePatterns", () => {
  it("leaves out comments and empty lines", () => {
    expect(packIgnorePatterns("# a\r\n\n b \r\nc/\n")).toEqual(["b", "c/"]);
  });

  it("refuses what takes back", () => {
    expect(() => packIgnorePatterns("a\n!b")).toThrow(".packignore:2: !b");
  });
});

describe("isSecretName", () => {
  it.each([
    ".npmrc",
    ".netrc",
    ".yarnrc.yml",
    "id_rsa",
    "keys/ID_ED25519.bak",
    "server.p12",
    "certs/cert.PEM",
    "prod.env",
    ".ENV.local",
    "service-account.json",
    "token",
    ".git-credentials",
  ])("knows the file %s", (path) => {
    expect(isSecretName(path, false)).toBe(true);
  });

  it.each(["app.json", "id_map.json", "src/token.ts", "environment.ts", "keys.js", "tokens.json"])(
    "takes %s for harmless",
    (path) => {
      expect(isSecretName(path, false)).toBe(false);
    },
  );

  it("knows folders, and files in none that is called like a file", () => {
    expect([".aws", ".SSH", ".docker"].map((path) => isSecretName(path, true))).toEqual([
      true,
      true,
      true,
    ]);
    expect(isSecretName("src/token", true)).toBe(false);
  });
});
