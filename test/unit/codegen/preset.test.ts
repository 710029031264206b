import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bufTemplate, tsProtoOptions } from "../../../src/codegen/preset.js";

describe("tsProtoOptions", () => {
  it("are those of the kit's own buf.gen.yaml", () => {
    const lines = readFileSync("buf.gen.yaml", "utf8").split("\n");
    const options = lines.filter((line) => /^ {6}- /.test(line)).map((line) => line.slice(8));
    expect(options).toEqual(tsProtoOptions);
  });
});

describe("bufTemplate", () => {
  it("runs both plug-ins once for all files, ts-proto for imports as well", () => {
    const template = bufTemplate({ tsProto: "a/ts", inferwire: ["node", "b.js"], out: "gen" });
    expect(JSON.parse(template)).toEqual({
      version: "v2",
      plugins: [
        { local: "a/ts", out: "gen", strategy: "all", include_imports: true, opt: tsProtoOptions },
        { local: ["node", "b.js"], out: "gen", strategy: "all" },
      ],
    });
  });

  it("leaves out a plug-in that is not given", () => {
    const { plugins } = JSON.parse(bufTemplate({ inferwire: "x", out: "gen" })) as {
      readonly plugins: readonly object[];
    };
    expect(plugins).toHaveLength(1);
  });
});
