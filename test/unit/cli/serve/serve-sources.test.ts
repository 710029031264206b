import { describe, expect, it } from "vitest";
import {
  layeredOptions,
  type ServeSources,
  secretFiles,
} from "../../../../src/cli/serve/serve-sources.js";
import { environmentVariables } from "../../../../src/host/environment-options.js";
import type { HostOptions } from "../../../../src/host/host-options.js";
import type { OptionText } from "../../../../src/host/option-texts.js";
import { resolveHostOptions } from "../../../../src/host/resolve-host-options.js";

const MODULE = "file:///main.mjs";

function sourcesOf(parts: Partial<ServeSources>): ServeSources {
  return {
    module: MODULE,
    description: undefined,
    wantsToken: false,
    described: {},
    environment: {},
    flags: {},
    texts: { environment: [], flags: [] },
    ...parts,
  };
}

const layers = ["described", "environment", "code", "flags"] as const;

describe("layeredOptions", () => {
  it("begins with the defaults", () => {
    const { maxQueueLength } = resolveHostOptions({});
    const options = resolveHostOptions(layeredOptions(sourcesOf({}), {}));
    expect(options.maxQueueLength).toBe(maxQueueLength);
  });

  it.each(layers.map((top, index) => [top, layers.slice(0, index + 1)] as const))(
    "takes what %s says over all below",
    (top, given) => {
      const says = (layer: string): HostOptions =>
        given.some((one) => one === layer) ? { service: layer } : {};
      const sources = sourcesOf({
        described: says("described"),
        environment: says("environment"),
        flags: says("flags"),
      });
      expect(layeredOptions(sources, says("code")).service).toBe(top);
    },
  );

  it("takes undefined in code for nothing said", () => {
    const sources = sourcesOf({ environment: { service: "environment" } });
    expect(layeredOptions(sources, { service: undefined }).service).toBe("environment");
  });

  it("keeps the module that was found, and the notices of all", () => {
    const sources = sourcesOf({ described: { module: "other.mjs", notices: ["a"] } });
    expect(layeredOptions(sources, { notices: ["b"] })).toEqual({
      module: MODULE,
      notices: ["a", "b"],
    });
  });
});

describe("secretFiles", () => {
  const text = (name: string): OptionText => {
    const variable = environmentVariables.find((one) => one.variable === name);
    if (variable === undefined) throw new Error(`no variable ${name}`);
    return { variable, text: "/secret", where: name };
  };
  const file = text("INFERWIRE_TOKEN_FILE");
  const texts = { environment: [file], flags: [] };
  const environment = { token: "t" };

  it.each<[string, Partial<ServeSources>, HostOptions, number]>([
    ["a variable's file", { environment, texts }, {}, 1],
    ["a flag's file", { flags: environment, texts: { environment: [], flags: [file] } }, {}, 1],
    ["no file below a flag", { environment, flags: { token: "f" }, texts }, {}, 0],
    ["no file below code", { environment, texts }, { token: "c" }, 0],
    [
      "no token that was given itself",
      { environment, texts: { environment: [text("INFERWIRE_TOKEN")], flags: [] } },
      {},
      0,
    ],
  ])("follows %s", (_, parts, code, count) => {
    const expected = count === 0 ? [] : [["token", file]];
    expect(secretFiles(sourcesOf(parts), code)).toEqual(expected);
  });
});
