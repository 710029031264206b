import { startHost, type Tensor, TensorProcessor, tensor } from "inferwire/host";
import { createPair } from "inferwire/testing";
import { describe, expect, it } from "vitest";
import * as onnx from "../../gen/eas/onnx/predict.js";
import * as tensorflow from "../../gen/eas/tensorflow/predict.js";
import * as torch from "../../gen/eas/torch/predict.js";
import { builtDialect } from "../support/built-dialect.js";
import { http, reasonOf } from "../support/raw-http.js";
import { startTensorHost, type TensorHost, toldBy } from "../support/tensor-hosts.js";
import { arraySamples, rawSamples } from "../support/tensor-samples.js";

const kinds = ["inline", "thread", "process"] as const;
const dialects = ["tensorflow", "pytorch", "onnx"] as const;

/** 600 KB: a picture of 224 x 224 in three colours. */
const PICTURE = [1, 224, 224, 3];
const PICTURE_FLOATS = 150_528;

function picture(): Tensor {
  const values = Float32Array.from({ length: PICTURE_FLOATS }, (_, at) => at);
  return tensor("float32", PICTURE, values);
}

const noFloats = new Float32Array(0);

function memoryOf(x: Tensor | undefined): Uint8Array {
  const { buffer, byteOffset, byteLength } = (x?.data ?? noFloats) as Float32Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

const inputsOf = (x: Tensor): ReadonlyMap<string, Tensor> => new Map([["0", x]]);

describe.each(kinds)("a tensor processor in a lane of kind %s", (kind) => {
  it.each(dialects)("answers %s over both doors", async (dialect) => {
    const host = await startTensorHost(dialect, {}, kind);
    const inputs = new Map<string, Tensor>([
      ["0", tensor("float32", [2, 2], [1, 2, 3, 4])],
      ["1", tensor("int64", [2], [-1, 5])],
      ["2", tensor("float64", [], [0.5])],
      ["3", tensor("int32", [0, 7], [])],
    ]);
    for (const outputs of [
      await host.outputs("echo", { inputs }),
      await host.grpcOutputs("echo", { inputs }),
    ]) {
      expect([...outputs.keys()]).toEqual(["0", "1", "2", "3"]);
      for (const [name, { dtype, shape, data }] of inputs) {
        expect(outputs.get(name)).toMatchObject({ dtype, shape });
        expect(outputs.get(name)?.data).toEqual(data);
      }
    }
    const told = (await host.told("lane")) as { readonly kind: string };
    expect(told.kind).toBe(kind);
  });

  it("tells callers apart whose requests are malformed, unanswerable and refused", async () => {
    const host = await startTensorHost("tensorflow", {}, kind);
    const inputs = inputsOf(tensor("float32", [1], [1]));
    const innocent = host.outputs("echo", { inputs });
    const [malformed, unfit, refused] = await Promise.all([
      host.post("echo", Buffer.from("no message")),
      host.post("unfit", host.encoded({ inputs })),
      host.post("refuse", host.encoded({ inputs })),
    ]);
    expect(failureOf(malformed)).toMatchObject({ status: 400, reason: "MALFORMED_REQUEST" });
    expect(failureOf(unfit)).toMatchObject({
      status: 500,
      reason: "PROCESSOR_BAD_ANSWER",
      message: expect.stringContaining('as output "y", expected a tensor: 2 values'),
    });
    expect(failureOf(refused)).toMatchObject({ status: 404, message: "no such model" });
    expect((await innocent).get("0")?.data).toEqual(Float32Array.of(1));
  });

  it("takes warm-up payloads as bytes", async () => {
    const { encodeRequest } = await builtDialect("tensorflow");
    const sample = { fetches: [], signatureName: "", debugLevel: 0 };
    const warmUp = [encodeRequest({ inputs: inputsOf(tensor("bool", [1], [true])), ...sample })];
    const host = await startTensorHost("tensorflow", { warmUp }, kind);
    expect(await host.told("lane")).toMatchObject({ calls: 6 });
  });
});

function failureOf({ status, body }: { readonly status: number; readonly body: Uint8Array }): {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
} {
  const { error } = JSON.parse(String(Buffer.from(body))) as {
    readonly error: { readonly reason: string; readonly message: string };
  };
  return { status, ...error };
}

describe("dtypes of a tensor processor", () => {
  // Requests and answers are those of the generated code: what other people's clients send and read.
  it.each(arraySamples)("hands TensorFlow's $dtype over and back", async (sample) => {
    const host = await startTensorHost("tensorflow");
    const inputs = new Map([["x", tensorflow.ArrayProto.fromPartial(sample.fields)]]);
    const request = { signatureName: "sig", inputs, outputFilter: [] };
    const message = tensorflow.PredictRequest.encode(request).finish();
    expect(describedBy(host, await host.post("described", message))).toEqual({ x: seen(sample) });
    const { body } = await host.post("echo", message);
    expect(tensorflow.PredictResponse.decode(body).outputs).toEqual(inputs);
  });

  it.each(arraySamples.filter(({ dtype }) => dtype !== "bool"))(
    "hands PyTorch's $dtype over and back",
    async (sample) => {
      const host = await startTensorHost("pytorch");
      const x = torch.ArrayProto.fromPartial(sample.fields as Partial<torch.ArrayProto>);
      const request = torch.PredictRequest.fromPartial({
        inputs: [x],
        mapInputs: new Map([["a", x]]),
      });
      const message = torch.PredictRequest.encode(request).finish();
      const told = describedBy(host, await host.post("described", message));
      expect(told).toEqual({ 0: seen(sample), a: seen(sample) });
      const answer = torch.PredictResponse.decode((await host.post("echo", message)).body);
      expect(answer).toEqual({ outputs: [x], mapOutputs: new Map([["a", x]]) });
    },
  );

  it.each(rawSamples)("hands ONNX's $dtype over and back", async ({ dtype, dataType, data }) => {
    const host = await startTensorHost("onnx");
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const request = { tensors: [{ name: "x", dims: [2n, 1n], dataType, rawData }] };
    const message = onnx.DataProto.encode(request).finish();
    const values = Array.from(data, (value) => (typeof value === "bigint" ? `${value}n` : value));
    const holds = Object.prototype.toString.call(data);
    const told = describedBy(host, await host.post("described", message));
    expect(told).toEqual({ x: { dtype, shape: [2, 1], holds, values } });
    const answer = onnx.DataProto.decode((await host.post("echo", message)).body);
    expect(answer.tensors.map(({ name, dims }) => [name, dims])).toEqual([["x", [2n, 1n]]]);
    expect(Buffer.from(answer.tensors[0]?.rawData ?? [])).toEqual(Buffer.from(rawData));
  });
});

const seen = ({ dtype, holds, values }: (typeof arraySamples)[number]): object => ({
  dtype,
  shape: [2, 1],
  holds,
  values,
});

function describedBy({ dialect }: TensorHost, { body }: { readonly body: Uint8Array }): unknown {
  const [output] = dialect.decodeResponse(body).values();
  return toldBy(output);
}

describe("what a tensor processor is told besides its inputs", () => {
  it("gets TensorFlow's signature name and wanted outputs", async () => {
    const host = await startTensorHost("tensorflow");
    const asked = { signatureName: "sig", fetches: ["told"] };
    expect(await host.told("asked", asked)).toEqual({ ...asked, debugLevel: 0 });
  });

  it("gets PyTorch's debug level and wanted outputs, which are numbered anew", async () => {
    const host = await startTensorHost("pytorch");
    const outputs = await host.outputs("asked", { debugLevel: 7, fetches: ["3"] });
    const told = { debugLevel: 7, fetches: ["3"], signatureName: "" };
    expect([[...outputs.keys()], toldBy(outputs.get("0"))]).toEqual([["0"], told]);
  });

  it("leaves out what is not wanted, and names what there is none of", async () => {
    const host = await startTensorHost("tensorflow");
    const inputs = new Map(["a", "b"].map((name) => [name, tensor("uint8", [1], [1])]));
    const outputs = await host.outputs("echo", { inputs, fetches: ["b"] });
    expect([...outputs.keys()]).toEqual(["b"]);
    const answer = await host.post("echo", host.encoded({ inputs, fetches: ["b", "c"] }));
    expect(failureOf(answer)).toMatchObject({
      status: 400,
      reason: "MALFORMED_REQUEST",
      message: expect.stringMatching(/^output_filter\[1\] is "c", which is no output/),
    });
  });

  it("answers PredictStream once", async () => {
    const host = await startTensorHost("onnx");
    const data = host.encoded({ inputs: inputsOf(tensor("int8", [1], [3])) });
    const answers: Uint8Array[] = [];
    for await (const answer of host.predict.predictStream({ path: "echo", data })) {
      answers.push(answer.data);
    }
    const [answer = new Uint8Array(0), ...more] = answers;
    expect(host.dialect.decodeResponse(answer).get("0")?.data).toEqual(Int8Array.of(3));
    expect(more).toEqual([]);
  });
});

describe("malformed requests of tensors", () => {
  const { ArrayProto, PredictRequest } = tensorflow;
  const withX = (fields: Parameters<typeof ArrayProto.fromPartial>[0]): Uint8Array =>
    PredictRequest.encode(
      PredictRequest.fromPartial({ inputs: new Map([["x", ArrayProto.fromPartial(fields)]]) }),
    ).finish();
  const floats = (dim: readonly bigint[]): Uint8Array =>
    withX({ dtype: 1, arrayShape: { dim: [...dim] }, floatVal: [1, 2] });
  const fine = floats([2n]);

  it.each([
    ["a shape that its data does not fill", floats([3n]), /"?x"?/],
    ["an unknown dtype", withX({ dtype: 99 as never, arrayShape: { dim: [] } }), /dtype/],
    ["a negative dimension", floats([-2n]), /array_shape|dim/],
    ["dimensions that overflow", floats([2n ** 62n, 2n ** 62n]), /array_shape|dim|shape/],
    ["a name twice", Buffer.concat([fine, fine]), /x/],
    ["a torn message", fine.subarray(0, -1), /inputs/],
    [
      "values of another dtype",
      withX({ dtype: 1, arrayShape: { dim: [2n] }, intVal: [1, 2] }),
      /x/,
    ],
  ])("refuses %s with the field, beside a caller who gets an answer", async (_, message, field) => {
    const host = await startTensorHost("tensorflow");
    const inputs = inputsOf(tensor("float32", [1], [7]));
    const [refused, overGrpc, outputs] = await Promise.all([
      host.post("echo", message),
      host.predict.predict({ path: "echo", data: message }).catch((thrown: unknown) => thrown),
      host.outputs("echo", { inputs }),
    ]);
    expect(failureOf(refused)).toMatchObject({
      status: 400,
      reason: "MALFORMED_REQUEST",
      message: expect.stringMatching(field),
    });
    expect(overGrpc).toMatchObject({ code: 3, details: expect.stringMatching(field) });
    expect(outputs.get("0")?.data).toEqual(Float32Array.of(7));
    // Those were all that process() was called for.
    expect(await host.told("lane")).toMatchObject({ calls: 2 });
  });
});

describe("memory of a tensor processor's inputs", () => {
  // Names of eight lengths: wherever the data would begin in the message by itself.
  const names = ["a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"];

  it("is that of the body, on the host's own thread", async () => {
    const host = await startTensorHost("tensorflow");
    for (const name of names) {
      const told = await host.told("memory", { inputs: new Map([[name, picture()]]) });
      const bodyBytes = expect.toSatisfy((bytes: number) => bytes > 4 * PICTURE_FLOATS);
      expect(told).toEqual({
        [name]: {
          ownBytes: 4 * PICTURE_FLOATS,
          bufferBytes: bodyBytes,
          first: 0,
          last: PICTURE_FLOATS - 1,
        },
      });
    }
  });

  it.each(kinds)(
    "holds the same numbers over gRPC, aligned or not, in lanes of kind %s",
    async (kind) => {
      const host = await startTensorHost("tensorflow", {}, kind);
      const x = picture();
      for (const name of names) {
        const outputs = await host.grpcOutputs("echo", { inputs: new Map([[name, x]]) });
        expect(outputs.get(name)?.shape).toEqual(PICTURE);
        expect(Buffer.compare(memoryOf(outputs.get(name)), memoryOf(x))).toBe(0);
      }
    },
  );
});

describe("the signature of a tensor processor", () => {
  const signature = {
    signatureName: "predict_images",
    inputs: [{ name: "images", shape: [-1, 784], dtype: "float32" }],
    outputs: [{ name: "scores", shape: [-1, 10], dtype: "float32" }],
  } as const;
  const published =
    '{"signature_name":"predict_images","inputs":[{"name":"images","shape":[-1,784],"type":"DT_FLOAT"}],' +
    '"outputs":[{"name":"scores","shape":[-1,10],"type":"DT_FLOAT"}]}\n';

  it("is told at the service itself", async () => {
    const { port } = await startTensorHost("tensorflow", { signature, service: "lab" });
    for (const path of ["/api/predict/lab", "/api/predict/lab/", "/api/predict/lab?pretty=1"]) {
      const { status, headers, text } = await http(port, path);
      expect([status, text]).toEqual([200, published]);
      expect(headers.get("content-type")).toMatch(/^application\/json/);
    }
    const head = await http(port, "/api/predict/lab", { method: "HEAD" });
    expect([head.status, head.text]).toEqual([200, ""]);
    expect(head.headers.get("content-length")).toBe(String(published.length));
  });

  it.each([
    ["GET", "/api/predict/other", 404, "UNKNOWN_SERVICE", /no service "other" is hosted here/],
    ["GET", "/api/predict/lab/v1", 405, "METHOD_NOT_ALLOWED", /lab\/v1" takes POST, not GET$/],
    ["PUT", "/api/predict/lab", 405, "METHOD_NOT_ALLOWED", /takes GET or POST, not PUT$/],
    ["GET", "/elsewhere", 405, "METHOD_NOT_ALLOWED", /takes POST, not GET$/],
  ])("answers %s %s with %i", async (method, path, status, reason, message) => {
    const { port } = await startTensorHost("tensorflow", { signature, service: "lab" });
    const answer = await http(port, path, { method });
    expect([answer.status, reasonOf(answer)]).toEqual([status, reason]);
    expect((JSON.parse(answer.text) as { error: { message: string } }).error.message).toMatch(
      message,
    );
  });

  it.each(dialects)("is 405 where there is none: %s", async (dialect) => {
    const { port } = await startTensorHost(dialect);
    const answer = await http(port, "/api/predict/lab");
    expect([answer.status, reasonOf(answer)]).toEqual([405, "METHOD_NOT_ALLOWED"]);
    expect(answer.text).toContain("takes POST, not GET: the processor publishes no signature");
  });

  it("wants the host's token, as calls do", async () => {
    const { port } = await startTensorHost("tensorflow", { signature, token: "secret" });
    expect((await http(port, "/api/predict/lab")).status).toBe(401);
    const headers = { authorization: "secret" };
    expect((await http(port, "/api/predict/lab", { headers })).text).toBe(published);
  });

  it("is among the routes that eastool lists", async () => {
    const { port } = await startTensorHost("tensorflow", { signature });
    const { text } = await http(port, "/api/builtin/eastool?report=routes");
    expect(text).toContain('"GET /api/predict/NAME"');
    expect(text).toContain('"POST /api/predict/NAME[/...]"');
  });
});

describe("a tensor processor in a program", () => {
  class Double extends TensorProcessor {
    constructor() {
      super({ dialect: "onnx", endpoint: "127.0.0.1:0", logLevel: "silent" });
    }

    override process(inputs: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
      const x = inputs.get("x");
      if (x?.dtype !== "float32") throw new TypeError("x: expected float32");
      return new Map([
        [
          "y",
          tensor(
            "float32",
            x.shape,
            x.data.map((value) => 2 * value),
          ),
        ],
      ]);
    }
  }

  it("is started, embedded and paired as others are", async () => {
    const { encodeRequest, decodeResponse } = await builtDialect("onnx");
    const data = encodeRequest({
      inputs: new Map([["x", tensor("float32", [2], [1, 2])]]),
      fetches: [],
      signatureName: "",
      debugLevel: 0,
    });
    await using pair = await createPair(new Double());
    const answer = await pair.client.predict({ data });
    expect(decodeResponse(answer.data).get("y")?.data).toEqual(Float32Array.of(2, 4));
    await using embedded = await startHost(new Double(), {
      endpoint: "127.0.0.1:0",
      logLevel: "silent",
    });
    expect(embedded.state).toBe("ready");
    await using own = await new Double().start();
    expect(own.state).toBe("ready");
  });

  it.each([
    [{}, /options\.dialect is undefined/],
    [{ dialect: "tensorflo" }, /options\.dialect is "tensorflo", did you mean "tensorflow"\?/],
    [{ dialect: "onnx", signature: {} }, /options\.signature is given with the dialect "onnx"/],
    [{ dialect: "tensorflow", signature: { inputs: [] } }, /options\.signature\.signatureName is/],
    [
      { dialect: "tensorflow", weigth: 1 },
      /options has no option "weigth", did you mean "weight"\?/,
    ],
  ])("refuses %j", (options, message) => {
    class Lab extends TensorProcessor {
      override process(inputs: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
        return inputs;
      }
    }
    expect(() => new Lab(options as never)).toThrow(
      expect.objectContaining({ name: "ConfigError", message: expect.stringMatching(message) }),
    );
  });
});
