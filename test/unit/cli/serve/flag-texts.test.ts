import { describe, expect, it } from "vitest";
import { textsFromFlags } from "../../../../src/cli/serve/flag-texts.js";

describe("textsFromFlags", () => {
  it("names each option by its flag", () => {
    const texts = textsFromFlags(
      { workerProcesses: "4", set: ["maxQueueLength=10", "modelConfig=a=b"] },
      "t",
    );
    expect(texts.map(({ variable, text, where }) => [variable.option, text, where])).toEqual([
      ["workerProcesses", "4", "--worker-processes"],
      ["token", "t", "--token"],
      ["maxQueueLength", "10", "--set maxQueueLength"],
      ["modelConfig", "a=b", "--set modelConfig"],
    ]);
  });

  it("takes the names of files and parts as variables have them", () => {
    const [file, part] = textsFromFlags({ set: ["tokenFile=/t", "tlsCertFile=/c"] }, undefined);
    expect(file?.variable).toMatchObject({ option: "token", form: "file" });
    expect(part?.variable).toMatchObject({ option: "tls", part: "cert", form: "file" });
  });

  it.each([
    ["no pair", "maxQueueLength", "expected option=value"],
    ["a name that is nobody's", "maxQueueLenght=1", 'did you mean "maxQueueLength"'],
    ["one that only code can give", "logger=x", "logger can be given in code only"],
  ])("refuses %s", (_, pair, text) => {
    expect(() => textsFromFlags({ set: [pair] }, undefined)).toThrow(text);
  });
});
