import { pathToFileURL } from "node:url";
import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import protobufjs from "protobufjs";
import { ArrayDataType, PredictRequest } from "../../gen/eas/tensorflow/predict.js";
import type { TensorRequest } from "../../src/tensor/dialect.js";
import { built } from "../support/built-kit.js";
import { median, spread } from "../support/figures.js";

const PAIRS = Number(process.env["BENCH_ROUNDS"] ?? 2_000);
const WARM_UP_PAIRS = 200;
/** What takes longer than this is timed call by call, the rest in runs of about so long. */
const RUN_US = 20;
/** Pairs end after this, for codecs that take milliseconds. */
const LONGEST_MS = 4_000;
const sizes = [784, 150_528] as const;
const PROTO = "proto/eas/tensorflow/predict.proto";

const { dialectOf } =
  await built<typeof import("../../src/tensor/dialect-of.js")>("tensor/dialect-of.js");
const { tensor } =
  await built<typeof import("../../src/tensor/create-tensor.js")>("tensor/create-tensor.js");
const tensorflow = dialectOf("tensorflow");

/** The message of the proto file for protobuf-es, which has no generated code of it: its reflection does the same work. */
function protobufEsSchema() {
  const field = (number: number, name: string, type: Type, typeName = "") => ({
    name,
    number,
    type,
    typeName,
    label: Label.OPTIONAL,
  });
  const list = (number: number, name: string, type: Type, typeName = "") => ({
    ...field(number, name, type, typeName),
    label: Label.REPEATED,
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "bench.proto",
    package: "bench",
    syntax: "proto3",
    messageType: [
      { name: "ArrayShape", field: [list(1, "dim", Type.INT64)] },
      {
        name: "ArrayProto",
        field: [
          field(1, "dtype", Type.INT32),
          field(2, "array_shape", Type.MESSAGE, ".bench.ArrayShape"),
          list(3, "float_val", Type.FLOAT),
        ],
      },
      {
        name: "PredictRequest",
        field: [
          field(1, "signature_name", Type.STRING),
          list(2, "inputs", Type.MESSAGE, ".bench.PredictRequest.InputsEntry"),
          list(3, "output_filter", Type.STRING),
        ],
        nestedType: [
          {
            name: "InputsEntry",
            field: [
              field(1, "key", Type.STRING),
              field(2, "value", Type.MESSAGE, ".bench.ArrayProto"),
            ],
            options: { mapEntry: true },
          },
        ],
      },
    ],
  });
  const schema = createFileRegistry(file, () => undefined).getMessage("bench.PredictRequest");
  if (schema === undefined) throw new Error("no schema");
  return schema;
}

interface Way {
  readonly name: string;
  readonly run: () => unknown;
}

const BASE = "memcpy";

async function encoders(floats: Float32Array): Promise<readonly Way[]> {
  const shape = [1, floats.length];
  const list = Array.from(floats);
  const request: TensorRequest = {
    inputs: new Map([["images", tensor("float32", shape, floats)]]),
    fetches: ["scores"],
    signatureName: "predict_images",
    debugLevel: 0,
  };
  const array = { dtype: 1, arrayShape: { dim: shape.map(BigInt) } };
  const schema = protobufEsSchema();
  const Protobufjs = (await protobufjs.load(PROTO)).lookupType("PredictRequest");
  const names = { signatureName: "predict_images", outputFilter: ["scores"] };
  return [
    { name: "inferwire", run: () => tensorflow.encodeRequest(request) },
    {
      name: "inferwire, tensor() included",
      run: () =>
        tensorflow.encodeRequest({
          ...request,
          inputs: new Map([["images", tensor("float32", shape, floats)]]),
        }),
    },
    {
      name: "protobufjs",
      run: () =>
        Protobufjs.encode({
          ...names,
          inputs: { images: { dtype: 1, arrayShape: { dim: shape }, floatVal: list } },
        }).finish(),
    },
    {
      name: "ts-proto",
      run: () =>
        PredictRequest.encode({
          ...names,
          inputs: new Map([
            [
              "images",
              {
                ...array,
                dtype: ArrayDataType.DT_FLOAT,
                floatVal: list,
                doubleVal: [],
                intVal: [],
                stringVal: [],
                int64Val: [],
                boolVal: [],
              },
            ],
          ]),
        }).finish(),
    },
    {
      name: "protobuf-es",
      run: () =>
        toBinary(
          schema,
          create(schema, { ...names, inputs: { images: { ...array, floatVal: list } } }),
        ),
    },
  ];
}

/** The message at a place where its floats lie at this distance from a multiple of 8. */
function placed(message: Uint8Array, distance: number): Uint8Array {
  const offset = (16 + distance - ((tensorflow.bulkOffset(message) ?? 0) % 8)) % 8;
  const place = new Uint8Array(new ArrayBuffer(offset + message.length), offset);
  place.set(message);
  return place;
}

async function decoders(floats: Float32Array): Promise<readonly Way[]> {
  const message = tensorflow.encodeRequest({
    inputs: new Map([["images", tensor("float32", [1, floats.length], floats)]]),
    fetches: ["scores"],
    signatureName: "predict_images",
    debugLevel: 0,
  });
  const aligned = placed(message, 0);
  const unaligned = placed(message, 1);
  const schema = protobufEsSchema();
  const Protobufjs = (await protobufjs.load(PROTO)).lookupType("PredictRequest");
  return [
    { name: "inferwire, aligned", run: () => tensorflow.decodeRequest(aligned) },
    { name: "inferwire, unaligned", run: () => tensorflow.decodeRequest(unaligned) },
    { name: "protobufjs", run: () => Protobufjs.decode(aligned) },
    { name: "ts-proto", run: () => PredictRequest.decode(aligned) },
    { name: "protobuf-es", run: () => fromBinary(schema, aligned) },
  ];
}

/** What the last call made, so that no engine can leave it out. */
let made: unknown;

function microseconds(calls: number, run: () => unknown): number {
  const started = process.hrtime.bigint();
  for (let n = 0; n < calls; n++) made = run();
  return Number(process.hrtime.bigint() - started) / 1_000 / calls;
}

/** What was measured of a way and of the base beside it. */
interface Pairs {
  readonly us: readonly number[];
  readonly baseUs: readonly number[];
  /** Of the two times of each pair. */
  readonly ratios: readonly number[];
}

/**
 * Times a way and the base in turn, each pair in the other order than the one before: a copy takes 20 or 600 us as the memory that is
 * free at the moment happens to be, and what comes second meets what the first has left.
 */
function compare(way: () => unknown, base: () => unknown): Pairs {
  const calls = new Map([way, base].map((run) => [run, 1]));
  const time = (run: () => unknown): number => microseconds(calls.get(run) ?? 1, run);
  const pairOf = (first: () => unknown, second: () => unknown): readonly [number, number] => {
    const firstUs = time(first);
    const secondUs = time(second);
    return first === way ? [firstUs, secondUs] : [secondUs, firstUs];
  };
  const pairs = (count: number): (readonly [number, number])[] => {
    const until = performance.now() + LONGEST_MS;
    const taken: (readonly [number, number])[] = [];
    for (let n = 0; n < count && performance.now() < until; n++) {
      taken.push(n % 2 === 0 ? pairOf(way, base) : pairOf(base, way));
    }
    return taken;
  };
  const warm = pairs(WARM_UP_PAIRS).slice(-20);
  for (const [index, run] of [way, base].entries()) {
    const us = Math.min(...warm.map((pair) => pair[index] ?? RUN_US));
    calls.set(run, Math.max(1, Math.floor(RUN_US / us)));
  }
  const taken = pairs(PAIRS);
  return {
    us: taken.map(([us]) => us),
    baseUs: taken.map(([, us]) => us),
    ratios: taken.map(([us, baseUs]) => us / baseUs),
  };
}

const bars: Readonly<Record<string, string>> = {
  "encode 150528 inferwire": "at most 1.15 x",
  "decode 150528 inferwire, aligned": "at most 2 us",
  "decode 150528 inferwire, unaligned": "at most 1.6 x",
};

/** Encodes and decodes TensorFlow requests of one float32 tensor, beside a bare copy and other codecs. */
export async function benchTensor(print: (line: string) => void): Promise<void> {
  for (const count of sizes) {
    const floats = Float32Array.from({ length: count }, (_, index) => (index % 251) / 250);
    const bytes = Buffer.from(floats.buffer);
    const copy = (): Buffer => {
      const place = Buffer.allocUnsafe(bytes.length);
      bytes.copy(place);
      return place;
    };
    for (const [what, ways] of [
      ["encode", await encoders(floats)],
      ["decode", await decoders(floats)],
    ] as const) {
      print(
        `${what} ${count} floats, us a call: median (lowest-highest); ${BASE} beside it; median of the pairs' ratios`,
      );
      for (const { name, run } of ways) {
        const { us, baseUs, ratios } = compare(run, copy);
        const bar = bars[`${what} ${count} ${name}`];
        print(
          `  ${name.padEnd(29)} ${spread(us, 2).padEnd(28)} ${median(baseUs).toFixed(2).padStart(7)} ` +
            `${median(ratios).toFixed(2).padStart(8)} x${bar === undefined ? "" : `   bar ${bar}`}`,
        );
      }
    }
  }
  if (made === undefined) throw new Error("nothing was made");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await benchTensor((line) => console.log(line));
}
