// A processor of tensors for tests of whole hosts: the path of a call says what it does, `?dialect=` of the module's URL
// which messages it takes in a lane.
import { ServerError, Status, TensorProcessor, tensor } from "inferwire/host";

const bytesOf = (text) => {
  const bytes = new TextEncoder().encode(text);
  return tensor("uint8", [bytes.length], bytes);
};

const jsonOf = (value) =>
  bytesOf(JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}n` : part)));

const described = ({ dtype, shape, data }) => ({
  dtype,
  shape,
  holds: Object.prototype.toString.call(data),
  values: Array.from(data, (value) =>
    typeof value === "object" ? String(Buffer.from(value)) : value,
  ),
});

const memoryOf = ({ data }) => ({
  ownBytes: data.byteLength,
  bufferBytes: data.buffer.byteLength,
  first: Number(data[0]),
  last: Number(data.at(-1)),
});

const each = (inputs, what) =>
  new Map([["told", jsonOf(Object.fromEntries([...inputs].map(([name, x]) => [name, what(x)])))]]);

export class TensorLab extends TensorProcessor {
  #context;
  #calls = 0;

  #answers = {
    echo: (inputs) => inputs,
    described: (inputs) => each(inputs, described),
    memory: (inputs) => each(inputs, memoryOf),
    asked: (_, { fetches, signatureName, debugLevel }) =>
      new Map([[fetches[0] ?? "told", jsonOf({ fetches, signatureName, debugLevel })]]),
    lane: () => new Map([["told", jsonOf({ ...this.#context.lane, calls: this.#calls })]]),
    number: () => new Map([["y", 5]]),
    unfit: () => new Map([["y", { dtype: "float32", shape: [3], data: new Float32Array(2) }]]),
    refuse: () => {
      throw new ServerError(Status.NOT_FOUND, "no such model");
    },
  };

  initialize(context) {
    this.#context = context;
  }

  async process(inputs, call, request) {
    this.#calls++;
    return this.#answers[call.path.replace(/^\//, "") || "echo"](inputs, request);
  }
}

const dialect = new URL(import.meta.url).searchParams.get("dialect");
export const processor = dialect === null ? undefined : new TensorLab({ dialect });
