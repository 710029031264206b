import { describe, expect, it } from "vitest";
import type { CliContext } from "../../../src/cli/command.js";
import { requestsOf } from "../../../src/cli/request-json.js";
import { createTerminal } from "../../../src/cli/terminal.js";
import { createDynamicMethods, type DynamicMethod } from "../../../src/wire/dynamic-methods.js";
import { kitDescriptorSet } from "../../../src/wire/file-registry.js";
import { recordedWorld } from "../../support/cli-world.js";

const methods = createDynamicMethods([kitDescriptorSet()]);
const unary = method("/grpc.health.v1.Health/Check");
const streaming = method("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");

function method(path: string): DynamicMethod {
  const found = methods.find(path);
  if (found === undefined) throw new Error(`no ${path}`);
  return found;
}

/** The requests as JSON once more. */
async function read(of: DynamicMethod, data: string | undefined, input = ""): Promise<string[]> {
  const world = recordedWorld({ input });
  const terminal = createTerminal({ ...world, json: false });
  const context: CliContext = { ...world, terminal, token: undefined, debug: false };
  const texts: string[] = [];
  for await (const bytes of requestsOf(of, data, context))
    texts.push(Buffer.from(bytes).toString());
  return texts;
}

describe("requestsOf a method with one request", () => {
  it.each([
    ["nothing", undefined, "", [""]],
    ["a text", '{"service":"a"}', "", ["\n\u0001a"]],
    ["stdin, over several lines", "@-", '{"service":\n"a"}', ["\n\u0001a"]],
  ])("reads %s", async (_what, data, input, expected) => {
    expect(await read(unary, data, input)).toEqual(expected);
  });
});

describe("requestsOf a method with a stream of requests", () => {
  const two = ['"\u0001a', '"\u0001b'];

  it.each([
    ["nothing", undefined, "", []],
    ["a list", '[{"fileContainingSymbol":"a"},{"fileContainingSymbol":"b"}]', "", two],
    ["a value a line", '{"fileContainingSymbol":"a"}\n\n{"fileContainingSymbol":"b"}', "", two],
    ["stdin", "@-", '{"fileContainingSymbol":"a"}\n{"fileContainingSymbol":"b"}', two],
    ["one value over several lines", '{"fileContainingSymbol":\n"a"}', "", two.slice(0, 1)],
  ])("reads %s", async (_what, data, input, expected) => {
    expect(await read(streaming, data, input)).toEqual(expected);
  });
});

describe("requestsOf, what goes wrong", () => {
  it.each([
    ["no JSON", unary, "{", "--data is not JSON"],
    ["an unknown field", unary, '{"servise":"a"}', 'key "servise" is unknown'],
    ["a wrong line", streaming, '{"host":"a"}\n{"host":1}', "--data, line 2: "],
    ["a line that is no JSON", streaming, '{"host":"a"}\n{', "--data, line 2 is not JSON"],
    ["a wrong item", streaming, '[{"host":"a"},{"host":1}]', "--data, item 2: "],
    ["a file that is not there", unary, "@gone", "--data names gone, which is unreadable"],
  ])("names the place of %s", async (_what, of, data, expected) => {
    await expect(read(of, data)).rejects.toMatchObject({
      reason: "INVALID_OPTION",
      message: expect.stringContaining(expected),
    });
  });
});
