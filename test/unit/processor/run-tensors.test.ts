import { ServerError, type ServerMiddleware, Status } from "nice-grpc-common";
import { describe, expect, it } from "vitest";
import type { TensorProcessorShape } from "../../../src/processor/processor.js";
import { tensor } from "../../../src/tensor/create-tensor.js";
import type { TensorDialect, TensorRequest } from "../../../src/tensor/dialect.js";
import { FormatError } from "../../../src/tensor/format-error.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import { invocationOf } from "../../support/invocations.js";
import { failureOf, testRunner, textsOf } from "../../support/runners.js";

function bytesTensor(text: string): Tensor {
  const data = Buffer.from(text);
  return tensor("uint8", [data.length], data);
}

/** A dialect of texts: `x=hi;y=you>a,b` are two inputs and two wanted outputs, `a=HI;b=YOU` two outputs. */
const textDialect: TensorDialect = {
  name: "tensorflow",
  encodeRequest: () => new Uint8Array(0),
  decodeRequest(message) {
    const text = Buffer.from(message).toString();
    if (text === "broken") throw new FormatError("inputs.x.float_val: 3 bytes, expected 4");
    if (text === "bug") throw new TypeError("secret");
    const [inputs = "", fetches = ""] = text.split(">");
    const pairs = inputs.split(";").map((pair) => pair.split("="));
    return {
      inputs: new Map(pairs.map(([name = "", value = ""]) => [name, bytesTensor(value)])),
      fetches: fetches.split(",").filter((name) => name !== ""),
      signatureName: "sig",
      debugLevel: 0,
    };
  },
  encodeResponse(outputs, fetches) {
    const names = fetches.length === 0 ? [...outputs.keys()] : fetches;
    const pairs = names.map((name) => {
      const output = outputs.get(name);
      if (output === undefined) throw new FormatError(`output_filter: no ${name}`);
      if (output.dtype === "uint64") throw new RangeError(`outputs.${name}: no uint64`);
      return `${name}=${String(Buffer.from(output.data as Uint8Array))}`;
    });
    return Buffer.from(pairs.join(";"));
  },
  decodeResponse: () => new Map(),
  bulkOffset: () => undefined,
};

type Process = TensorProcessorShape["process"];

function processorOf(process: Process): TensorProcessorShape {
  return { tensorSide: { dialect: textDialect, signature: undefined }, process };
}

const upper: Process = (inputs) =>
  new Map(
    [...inputs].map(([name, { data }]) => [
      name.toUpperCase(),
      bytesTensor(String(Buffer.from(data as Uint8Array)).toUpperCase()),
    ]),
  );

const ask = (text: string) => invocationOf({ payloads: Buffer.from(text) });

const passOn: ServerMiddleware = (call, context) => call.next(call.request, context);

describe.each([
  ["without middleware", []],
  ["behind middleware", [passOn, passOn]],
] as const)("a runner of tensors %s", (_, middleware) => {
  const run = (process: Process, text: string) =>
    testRunner(processorOf(process), { middleware }).run(ask(text));
  const failure = (process: Process, text = "x=1") => failureOf(run(process, text));

  it("decodes, calls and encodes; answers at once and later", async () => {
    expect(await textsOf((await run(upper, "x=hi;y=you")).payloads)).toEqual(["X=HI;Y=YOU"]);
    const later: Process = async (...given) => upper(...given);
    const { payloads, status } = await run(later, "x=hi");
    expect([await textsOf(payloads), status]).toEqual([["X=HI"], 0]);
  });

  it("gives only the outputs that are wanted, and hands on what else was asked", async () => {
    let seen: TensorRequest | undefined;
    const look: Process = (inputs, call, request) => {
      seen = request;
      return upper(inputs, call, request);
    };
    expect(await textsOf((await run(look, "x=hi;y=you>Y")).payloads)).toEqual(["Y=YOU"]);
    expect(seen).toMatchObject({ fetches: ["Y"], signatureName: "sig", debugLevel: 0 });
  });

  it("refuses what does not decode with the field, and does not call process()", async () => {
    let calls = 0;
    const count: Process = () => {
      calls++;
      return new Map();
    };
    expect(await failure(count, "broken")).toEqual({
      reason: "MALFORMED_REQUEST",
      code: Status.INVALID_ARGUMENT,
      message: "the message is no tensorflow request: inputs.x.float_val: 3 bytes, expected 4",
    });
    expect(calls).toBe(0);
  });

  it("refuses a wanted output that there is none for", async () => {
    expect(await failure(upper, "x=1;y=2>Y,Z")).toEqual({
      reason: "MALFORMED_REQUEST",
      code: Status.INVALID_ARGUMENT,
      message: "output_filter: no Z",
    });
  });

  it("lets a ServerError out as it is, and no other text", async () => {
    const refuse: Process = () => {
      throw new ServerError(Status.NOT_FOUND, "no such model");
    };
    expect(await failure(refuse)).toEqual({
      reason: "PROCESSOR_THREW",
      code: Status.NOT_FOUND,
      message: "no such model",
    });
    const fail: Process = () => Promise.reject(new Error("secret"));
    expect((await failure(fail)).message).toBe("process() threw");
    expect((await failure(upper, "bug")).message).toBe("process() threw");
  });

  it.each([
    ["bytes", new Uint8Array(1), /^process\(\) returned an object, expected a Map of tensors by/],
    ["nothing", undefined, /^process\(\) returned nothing, expected a Map of tensors by name$/],
    [
      "bytes with a status",
      [new Uint8Array(1), 200],
      /^process\(\) returned a list of 2, expected/,
    ],
    ["numbers", new Map([["y", [1, 2]]]), /^process\(\) returned a list of 2 as output "y", exp/],
    [
      "no shape",
      new Map([["y", { dtype: "uint8", data: Buffer.of() }]]),
      /an object as output "y"/,
    ],
    ["a name that is none", new Map([[1, bytesTensor("")]]), /named an output with a number, exp/],
    [
      "what the dialect cannot carry",
      new Map([["y", { dtype: "uint64", shape: [0], data: new BigUint64Array(0) }]]),
      /^process\(\) returned what no answer can be made of: outputs\.y: no uint64$/,
    ],
  ])("refuses %s for an answer", async (_what, answer, message) => {
    const { reason, ...rest } = await failure(() => answer as never);
    expect(reason).toBe("PROCESSOR_BAD_ANSWER");
    expect(rest.message).toMatch(message);
  });
});

describe("middleware of a runner of tensors", () => {
  it("sees bytes, and what it changes is decoded where process() is", async () => {
    const shout: ServerMiddleware = async function* change(call, context) {
      const { data } = call.request as { readonly data: Uint8Array };
      const text = Buffer.from(data).toString();
      return yield* call.next({ data: Buffer.from(`${text}!`) } as never, context);
    };
    const runner = testRunner(processorOf(upper), { middleware: [shout] });
    expect(await textsOf((await runner.run(ask("x=hi"))).payloads)).toEqual(["X=HI!"]);
  });
});
