import { cpSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  createFileRegistry,
  type DescMessage,
  equals,
  type FileRegistry,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import type { ClientOptions } from "inferwire/client";
import type { HostOptions, TypedProcessor } from "inferwire/host";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { GeneratedFiles } from "../../src/codegen/generated-files.js";
import { modulePath, typeName } from "../../src/codegen/type-names.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import { manyMessages, ProtoProject } from "../support/generated-corpus.js";
import { mixedArrays } from "../support/mixed-arrays.js";
import { randomMessage } from "../support/random-message.js";
import { recordingLogger } from "../support/recording-logger.js";

/** What ts-proto writes for a message. */
interface Codec {
  decode(bytes: Uint8Array): object;
  encode(message: object): { finish(): Uint8Array };
  fromPartial(message: object): object;
}

const project = new ProtoProject().addCorpus();
let registry: FileRegistry;
let files: ReadonlyMap<string, string>;

async function codecOf(type: DescMessage): Promise<Codec> {
  const file = join(project.folder, "out", "gen", `${modulePath(type.file)}.js`);
  const module = (await import(pathToFileURL(file).href)) as Record<string, Codec>;
  const codec = module[typeName(type)];
  if (codec === undefined) throw new Error(`${file} has no ${typeName(type)}`);
  return codec;
}

function textsOf(generated: GeneratedFiles): ReadonlyMap<string, string> {
  return new Map([...generated].map(([path, content]) => [path, content.toString()]));
}

beforeAll(async () => {
  const image = project.add("many.proto", manyMessages(500)).image();
  registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  files = textsOf(await project.generate());
  cpSync("test/codegen/kinds-processor.ts.txt", join(project.folder, "kinds-processor.ts"));
  project.compile();
}, 120_000);

/** Types that code was generated for. */
function messageTypes(): readonly DescMessage[] {
  return [...registry.files]
    .filter(({ name }) => files.has(`${name}.ts`) && name !== "many")
    .flatMap((file) => [...nestedTypes(file)])
    .filter((desc) => desc.kind === "message");
}

describe("what is generated of the corpus", () => {
  const isOwn = (path: string): boolean => /\.(client|processor|testing)\.ts$/.test(path);

  it("is the same, byte for byte, when it is generated again", async () => {
    const again = new ProtoProject().addCorpus();
    again.image();
    const second = textsOf(await again.generate());
    for (const path of ["many.ts", "descriptor-set.ts"]) expect(files.has(path)).toBe(true);
    const alike = [...files].filter(([path]) => path !== "many.ts" && path !== "descriptor-set.ts");
    expect([...second].filter(([path]) => path !== "descriptor-set.ts")).toEqual(alike);
  });

  /** Clients and pairs have one shape each: with comments, with names that others have, with imports from afar. */
  const shapes = /^(?:comments|names|imports\/deep\/second)\.(?:client|testing)\.ts$/;

  it("is what it was", async () => {
    const kept = [...files].filter(
      ([path]) => /\.processor\.ts$|^tensors\w*\.ts$/.test(path) || shapes.test(path),
    );
    expect(kept.length).toBeGreaterThan(15);
    for (const [path, text] of kept) {
      await expect(text).toMatchFileSnapshot(`../codegen/snapshots/${path}.txt`);
    }
  });

  it("has no `any` in what the kit writes", () => {
    for (const [path, text] of files) {
      if (!isOwn(path) && path !== "descriptor-set.ts") continue;
      const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/"[^"]*"/g, "");
      expect(code, path).not.toMatch(/\b(any|unknown)\b(?! *\()/);
    }
  });

  it("has no trace of the options", () => {
    const paths = [...files.keys()];
    expect(paths.filter((path) => /options|descriptor\.ts/.test(path))).toEqual([]);
    const others = [...files].filter(([path]) => path !== "descriptor-set.ts");
    expect(others.filter(([, text]) => text.includes("inferwire/options"))).toEqual([]);
  });

  it("has the protos as they were written in its descriptor set", async () => {
    const file = join(project.folder, "out", "gen", "descriptor-set.js");
    const { descriptorSet } = (await import(pathToFileURL(file).href)) as {
      readonly descriptorSet: Uint8Array;
    };
    const own = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
    const floats = own.getMessage("corpus.tensors.v1.Tensors")?.field["floats"];
    expect(floats?.fieldKind).toBe("list");
    expect(floats?.scalar).toBe(
      registry.getMessage("corpus.tensors.v1.Tensors")?.field["floats"]?.scalar,
    );
    for (const { proto } of own.files) expect(proto.sourceCodeInfo, proto.name).toBeUndefined();
  });
});

describe("generated codecs", () => {
  it("take typed arrays in any mixture of parts, and nothing that is no whole number", async () => {
    const type = registry.getMessage("corpus.tensors.v1.Tensors");
    if (type === undefined) throw new Error("the corpus has no tensors");
    const codec = await codecOf(type);
    const property = fc.property(fc.integer(), (seed) => {
      const random = seededRandom(seed);
      const { bytes, expected } = mixedArrays(type, random);
      const decoded = codec.decode(bytes);
      expect(decoded).toMatchObject(expected);
      const again = fromBinary(type, codec.encode(decoded).finish());
      expect(equals(type, again, fromBinary(type, bytes))).toBe(true);
    });
    fc.assert(property, { numRuns: 200 });
    expect(() => codec.decode(Uint8Array.of(10, 3, 0, 0, 0))).toThrow(
      "corpus.tensors.v1.Tensors.floats has 3 bytes, expected a multiple of 4",
    );
    expect(() => codec.encode(codec.fromPartial({ floats: [1, 2] })).finish()).toThrow(
      "corpus.tensors.v1.Tensors.floats is an array, expected a Float32Array",
    );
  });

  it("give a view over the message where the bytes are aligned, and a copy elsewhere", async () => {
    const type = registry.getMessage("corpus.tensors.v1.Tensors");
    if (type === undefined) throw new Error("the corpus has no tensors");
    const codec = await codecOf(type);
    const packed = Uint8Array.of(10, 8, 0, 0, 128, 63, 0, 0, 0, 64);
    for (const [offset, isView] of [
      [2, true],
      [3, false],
    ] as const) {
      const room = new Uint8Array(64);
      room.set(packed, offset);
      const bytes = room.subarray(offset, offset + packed.length);
      const { floats } = codec.decode(bytes) as { readonly floats: Float32Array };
      expect([...floats]).toEqual([1, 2]);
      expect(floats.buffer === room.buffer).toBe(isView);
    }
  });

  it("say what protobuf-es says, for random messages of every type", async () => {
    const codecs = await Promise.all(
      messageTypes().map(async (type) => ({ type, codec: await codecOf(type) })),
    );
    expect(codecs.length).toBeGreaterThan(60);
    const property = fc.property(fc.integer(), (seed) => {
      const random = seededRandom(seed);
      for (const { type, codec } of codecs) {
        const message = randomMessage(type, random);
        const decoded = codec.decode(toBinary(type, message));
        for (const value of [decoded, codec.fromPartial(decoded)]) {
          const answer = fromBinary(type, codec.encode(value).finish());
          if (!equals(type, message, answer)) {
            expect(answer, type.typeName).toEqual(message);
            throw new Error(`${type.typeName} is not what it was`);
          }
        }
      }
    });
    fc.assert(property, { numRuns: 20 });
  });
});

describe("a generated processor", () => {
  const from = async <T>(path: string): Promise<T> =>
    (await import(pathToFileURL(join(project.folder, "out", path)).href)) as T;

  it.each(["inline", "thread", "process"] as const)(
    "answers all four kinds of rpc in a lane of kind %s, called by the generated client",
    async (lane) => {
      const module = pathToFileURL(join(project.folder, "out", "kinds-processor.js"));
      const { Kinds } = await from<{
        readonly Kinds: new (options: HostOptions) => TypedProcessor;
      }>("kinds-processor.js");
      const { createKindsServiceClient } = await from<{
        createKindsServiceClient(options: ClientOptions): KindsClient;
      }>("gen/kinds.client.js");
      const { logger } = recordingLogger();
      const host = await new Kinds({ endpoint: "127.0.0.1:0", lane, module, logger }).start();
      onTestFinished(() => host.close({ gracePeriodMs: 0 }));
      const client = createKindsServiceClient({ target: `127.0.0.1:${host.address.port}` });
      onTestFinished(() => client[Symbol.asyncDispose]());

      expect(await client.unary({ text: "a" })).toEqual({
        text: "a loaded by /corpus.kinds.v1.KindsService/Unary",
        number: 0,
      });
      await expect(client.unary({ text: "refuse" })).rejects.toThrow("refused");
      expect(await all(client.serverStream({ text: "b", number: 2 }))).toEqual([
        { text: "b", number: 0 },
        { text: "b", number: 1 },
      ]);
      expect(await client.clientStream(each({ number: 1 }, { number: 2 }))).toEqual({
        text: "",
        number: 3,
      });
      expect(await all(client.bidi(each({ text: "c" }, { text: "d" })))).toEqual([
        { text: "C", number: 0 },
        { text: "D", number: 0 },
      ]);
      expect(await client.run({ number: 7 })).toEqual({ text: "run", number: 7 });
    },
  );

  it("is called by the client of its generated pair", async () => {
    const { Kinds } = await from<{ readonly Kinds: new () => TypedProcessor }>(
      "kinds-processor.js",
    );
    const { createKindsServicePair } = await from<{
      createKindsServicePair(
        processor: TypedProcessor,
      ): Promise<AsyncDisposable & { readonly client: KindsClient }>;
    }>("gen/kinds.testing.js");
    const pair = await createKindsServicePair(new Kinds());
    onTestFinished(() => pair[Symbol.asyncDispose]());
    expect((await pair.client.run({ number: 1 })).text).toBe("run");
  });

  it("is not loaded by the generated client", () => {
    const code = files.get("kinds.client.ts") ?? "";
    expect(code.match(/ from "(.*)";/g)).toEqual([
      ' from "inferwire/client";',
      ' from "inferwire/client";',
      ' from "./kinds.js";',
    ]);
  });
});

/** What the compiled client is, as far as it is called here. */
interface KindsClient extends AsyncDisposable {
  unary(request: object): Promise<object>;
  serverStream(request: object): AsyncIterable<object>;
  clientStream(requests: AsyncIterable<object>): Promise<object>;
  bidi(requests: AsyncIterable<object>): AsyncIterable<object>;
  run(request: object): Promise<{ readonly text: string }>;
}

async function* each(...messages: readonly object[]): AsyncGenerator<object> {
  yield* messages;
}

async function all(messages: AsyncIterable<object>): Promise<readonly object[]> {
  const list: object[] = [];
  for await (const message of messages) list.push(message);
  return list;
}
