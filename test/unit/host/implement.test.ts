import { describe, expect, expectTypeOf, it } from "vitest";
import { implement, type ServiceMethods } from "../../../src/host/implement.js";
import { TypedProcessor } from "../../../src/host/typed-processor.js";
import type { Call } from "../../../src/processor/processor.js";
import type { PredictRequest } from "../../../src/wire/proto.js";
import { PredictServiceDefinition } from "../../../src/wire/proto.js";
import { type Echo, EchoDefinition } from "../../support/client-echo.js";
import { invocationOf } from "../../support/invocations.js";
import { testRunner, textsOf } from "../../support/runners.js";

class Counter implements ServiceMethods<typeof PredictServiceDefinition> {
  #calls = 0;

  async predict() {
    this.#calls++;
    return { status: this.#calls };
  }

  async *predictStream() {}
}

const echoMethods: ServiceMethods<typeof EchoDefinition> = {
  unary: async (request) => request,
  pure: async (request) => request,
  async *serverStream(request) {
    yield request;
  },
  clientStream: async () => ({ text: "" }),
  async *bidi(requests) {
    yield* requests;
  },
};

async function unaryText(processor: TypedProcessor, method: string): Promise<readonly string[]> {
  const { payloads } = await testRunner(processor).run(
    invocationOf({ handler: "rpc", method, payloads: Buffer.from("a") }),
  );
  return textsOf(payloads);
}

describe("implement", () => {
  it("calls the methods of a class on its instance", async () => {
    const processor = implement(PredictServiceDefinition, new Counter());
    expect(processor.rpcs.map((rpc) => rpc.path)).toEqual([
      "/inferwire.predict.v1.PredictService/Predict",
      "/inferwire.predict.v1.PredictService/PredictStream",
    ]);
    const [predict] = processor.rpcs;
    await predict?.handler({}, {} as Call);
    expect(await predict?.handler({}, {} as Call)).toEqual({ status: 2 });
  });

  it("names the method that is missing, at once", () => {
    const partial = { predict: async () => ({}) } as unknown as Counter;
    expect(() => implement(PredictServiceDefinition, partial)).toThrow(
      'the implementation has no method "predictStream"',
    );
  });

  it("takes options, middleware and a descriptor set", () => {
    const descriptorSet = new Uint8Array([1]);
    const options = { workerThreads: 2, middleware: async function* pass() {}, descriptorSet };
    const processor = implement(EchoDefinition, echoMethods, options);
    expect(processor.descriptorSet).toBe(descriptorSet);
    expect(processor.middleware).toEqual([options.middleware]);
    const wrong = { workerThread: 2 } as object;
    expect(() => implement(EchoDefinition, echoMethods, wrong)).toThrow('no option "workerThread"');
    const odd = { middleware: [5] } as object;
    expect(() => implement(EchoDefinition, echoMethods, odd)).toThrow("options.middleware has 5");
  });

  it("is typed by the definition", () => {
    type Methods = ServiceMethods<typeof PredictServiceDefinition>;
    expectTypeOf<Parameters<Methods["predict"]>[0]>().toEqualTypeOf<PredictRequest>();
    expectTypeOf<Parameters<Methods["predict"]>[1]>().toExtend<Call>();
    const check = (): void => {
      const predictStream = async function* () {};
      const wrong = async () => ({ status: "x" });
      implement(PredictServiceDefinition, { predictStream, predict: async () => ({ status: 1 }) });
      // @ts-expect-error: a wrong type of a field
      implement(PredictServiceDefinition, { predictStream, predict: wrong });
      // @ts-expect-error: a promise for a stream
      implement(EchoDefinition, { ...echoMethods, bidi: async () => ({ text: "" }) });
      // @ts-expect-error: a field that the request does not have
      implement(EchoDefinition, { ...echoMethods, unary: async ({ texts }) => ({ text: texts }) });
      // @ts-expect-error: a missing method
      implement(EchoDefinition, { unary: async ({ text }) => ({ text }) });
      implement<typeof EchoDefinition, { user: string }>(EchoDefinition, {
        ...echoMethods,
        unary: async (_, call) => ({ text: call.user + call.remainingMs().toFixed() }),
      });
    };
    expect(check).toBeTypeOf("function");
  });
});

describe("TypedProcessor", () => {
  const { unary, ...others } = EchoDefinition;
  const definition = { ...others, run: unary };

  class EchoProcessor extends TypedProcessor {
    readonly #prefix = "own ";

    constructor() {
      super(definition);
    }

    runRpc = async ({ text }: Echo): Promise<Echo> => ({ text: this.#prefix + text });
    pure = async ({ text }: Echo): Promise<Echo> => ({ text });
    async *serverStream() {}
    async clientStream() {}
    async *bidi() {}
  }

  it("has the methods itself, fields included, and `Rpc` behind names that every processor has", async () => {
    expect(await unaryText(new EchoProcessor(), "/test.Echo/Unary")).toEqual(["own a"]);
  });

  it("names the method that is missing when it is asked for them", () => {
    expect(() => new TypedProcessor(definition).rpcs).toThrow(
      'the implementation has no method "pure", which answers /test.Echo/Pure',
    );
  });
});
