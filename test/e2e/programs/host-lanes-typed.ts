// A typed service for tests of whole hosts with lanes: one method of each kind.
import { implement, type TypedProcessor, type TypedProcessorOptions } from "inferwire/host";
import { EchoDefinition } from "../../support/client-echo.js";

/** Makes the processor with options of a host. */
export function typedProcessor(options?: TypedProcessorOptions): TypedProcessor {
  return implement(
    EchoDefinition,
    {
      async unary({ text }, call) {
        call.header.set("x-pid", String(process.pid));
        return { text: `${text}!` };
      },
      pure: async (request) => request,
      async *serverStream({ text }) {
        for (const part of text.split(",")) yield { text: part };
      },
      async clientStream(requests) {
        const texts: string[] = [];
        for await (const { text } of requests) texts.push(text);
        return { text: texts.join("+") };
      },
      async *bidi(requests) {
        for await (const { text } of requests) yield { text: `${text}!` };
      },
    },
    options,
  );
}

export const processor: TypedProcessor = typedProcessor();
