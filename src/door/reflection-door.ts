import type { HostState } from "../builtin/host-view.js";
import { servingError } from "../core/serving-error.js";
import { Status } from "../core/status.js";
import { hostStopping } from "../core/stop-errors.js";
import type { RpcCall, RpcReader, RpcRoute } from "../server/rpc.js";
import { endWithError } from "../server/rpc-errors.js";
import type { DescriptorIndex } from "../wire/descriptor-index.js";
import {
  type ReflectionAnswer,
  type ReflectionQuestion,
  reflectionRpcs,
} from "../wire/reflection.js";

/** What reflection is answered from. */
export interface ReflectionView {
  readonly state: HostState;
  /** Calls `listener` after every change of `state`; returns how to take it back. */
  onChange(listener: (state: HostState) => void): () => void;
  /** Full names of the gRPC services that the host answers. */
  readonly services: readonly string[];
  /** Descriptor sets of services that are not the kit's own; see `createDescriptorIndex`. */
  readonly descriptorSets: readonly Uint8Array[];
}

type ReflectionRpc = (typeof reflectionRpcs)[number];
type LoadIndex = () => Promise<DescriptorIndex>;

/** gRPC's reflection, v1 and v1alpha. Descriptors are loaded when the first question comes, and kept. */
export function reflectionRoutes(view: ReflectionView): readonly RpcRoute[] {
  let index: Promise<DescriptorIndex> | undefined;
  const load: LoadIndex = () => {
    index ??= import("../wire/descriptor-index.js").then(({ createDescriptorIndex }) =>
      createDescriptorIndex(view.descriptorSets),
    );
    return index;
  };
  return reflectionRpcs.map((rpc) => ({
    path: rpc.path,
    requestStream: rpc.requestStream,
    responseStream: rpc.responseStream,
    accept: (call) => new ReflectionCall(call, rpc, view, load),
  }));
}

/** One stream of questions: each is answered before the next one is read. A host that stops ends it. */
class ReflectionCall implements RpcReader {
  readonly #call: RpcCall;
  readonly #rpc: ReflectionRpc;
  readonly #view: ReflectionView;
  readonly #load: LoadIndex;
  readonly #stopListening: () => void;

  constructor(call: RpcCall, rpc: ReflectionRpc, view: ReflectionView, load: LoadIndex) {
    this.#call = call;
    this.#rpc = rpc;
    this.#view = view;
    this.#load = load;
    this.#stopListening = view.onChange(() => this.#endWhenStopping());
    call.read();
    this.#endWhenStopping();
  }

  onMessage(message: Uint8Array): void {
    this.#answer(message).catch((thrown: unknown) => {
      this.#stopListening();
      endWithError(this.#call, thrown);
    });
  }

  onHalfClose(): void {
    this.#stopListening();
    this.#call.end({ code: Status.OK, message: "" });
  }

  onClose(): void {
    this.#stopListening();
  }

  #endWhenStopping(): void {
    if (this.#view.state !== "draining" && this.#view.state !== "stopped") return;
    this.#stopListening();
    endWithError(this.#call, hostStopping());
  }

  async #answer(message: Uint8Array): Promise<void> {
    const question = this.#decode(message);
    const answer = answerTo(question, this.#view.services, await this.#load());
    const response = this.#rpc.encodeResponse({
      validHost: question.host,
      originalRequest: question,
      messageResponse: answer,
    });
    this.#call.send(response, () => this.#call.read());
  }

  #decode(message: Uint8Array): ReflectionQuestion {
    try {
      return this.#rpc.decodeRequest(message);
    } catch (cause) {
      const text = `the message is not a ${this.#rpc.path} request`;
      throw servingError("MALFORMED_REQUEST", text, { cause });
    }
  }
}

function answerTo(
  { messageRequest: asked }: ReflectionQuestion,
  services: readonly string[],
  index: DescriptorIndex,
): ReflectionAnswer {
  switch (asked?.$case) {
    case "listServices":
      return {
        $case: "listServicesResponse",
        value: { service: services.map((name) => ({ name })) },
      };
    case "fileByFilename":
      return filesAnswer(index.fileByName(asked.value), `file ${shown(asked.value)}`);
    case "fileContainingSymbol":
      return filesAnswer(index.fileBySymbol(asked.value), `symbol ${shown(asked.value)}`);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = asked.value;
      const what = `extension ${extensionNumber} of ${shown(containingType)}`;
      return filesAnswer(index.fileByExtension(containingType, extensionNumber), what);
    }
    case "allExtensionNumbersOfType": {
      const numbers = index.extensionNumbers(asked.value);
      if (numbers === undefined) return notFound(`message ${shown(asked.value)}`);
      return {
        $case: "allExtensionNumbersResponse",
        value: { baseTypeName: asked.value, extensionNumber: [...numbers] },
      };
    }
    case undefined:
      return errorAnswer(Status.INVALID_ARGUMENT, "the message asks nothing that is known here");
  }
}

function filesAnswer(files: readonly Uint8Array[] | undefined, what: string): ReflectionAnswer {
  if (files === undefined) return notFound(what);
  return { $case: "fileDescriptorResponse", value: { fileDescriptorProto: [...files] } };
}

function notFound(what: string): ReflectionAnswer {
  return errorAnswer(Status.NOT_FOUND, `no ${what}`);
}

function errorAnswer(errorCode: Status, errorMessage: string): ReflectionAnswer {
  return { $case: "errorResponse", value: { errorCode, errorMessage } };
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 120));
}
