import {
  type HostOptions,
  implement,
  type ProcessorHost,
  ServerError,
  type ServiceMethods,
  Status,
} from "inferwire/host";
import { onTestFinished } from "vitest";
import { recordingLogger } from "./recording-logger.js";
import { WebDefinition, webDescriptorSet } from "./web-service.js";

/** The methods of `test.web.WebService`. */
export type WebMethods = ServiceMethods<typeof WebDefinition>;

/** Echoes; a text `fail` fails. Streams answer with the parts of a text between commas. */
const methods: WebMethods = {
  async unary({ text, bigNumber = 0n }, call) {
    call.header.set("x-head", `${call.door} ${call.metadata.get("x-ask") ?? ""}`);
    call.header.set("x-head-bin", Uint8Array.of(1, 255));
    call.trailer.set("x-tail", "tail");
    const bytes = call.metadata.get("x-bytes-bin");
    if (bytes instanceof Uint8Array) {
      call.header.set("x-bytes-bin", bytes);
      call.trailer.set("x-bytes-bin", bytes);
    }
    if (text === "fail") {
      throw new ServerError(Status.FAILED_PRECONDITION, "nicht möglich: 100% ✗");
    }
    return { text, bigNumber };
  },
  async *serverStream({ text }, call) {
    call.header.set("x-head", call.door);
    call.trailer.set("x-tail", "tail");
    for (const part of text.split(",")) {
      if (part === "fail") throw new ServerError(Status.ABORTED, "torn");
      yield { text: part };
    }
  },
  async clientStream() {
    return { text: "never" };
  },
};

/** Starts a host of `test.web.WebService` on a free port; it is closed after the test. */
export async function startWebHost(
  own: Partial<WebMethods> = {},
  options: HostOptions = {},
  descriptorSet: Uint8Array | undefined = webDescriptorSet,
): Promise<ProcessorHost & { readonly port: number }> {
  const host = await implement(
    WebDefinition,
    { ...methods, ...own },
    { endpoint: "127.0.0.1:0", logger: recordingLogger().logger, descriptorSet, ...options },
  ).start();
  onTestFinished(() => host.close({ gracePeriodMs: 0 }));
  return Object.assign(host, { port: host.address.port });
}
