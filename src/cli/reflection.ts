import type { ServiceChannel } from "../client/service-channel.js";
import { isServingError, type ServingError, servingError } from "../core/serving-error.js";
import { Status } from "../core/status.js";
import { FileCollection } from "../wire/file-collection.js";
import {
  type ReflectionAnswer,
  type ReflectionQuestion,
  reflectionRpcs,
} from "../wire/reflection.js";
import { type BytesCallOptions, createBytesClient } from "./bytes-client.js";

type Question = NonNullable<ReflectionQuestion["messageRequest"]>;
type Ask = (questions: readonly Question[]) => Promise<readonly ReflectionAnswer[]>;

/** What an instance says of its services. */
export interface Reflected {
  /** Full names of all services. */
  readonly services: readonly string[];
  /** Descriptors of the wanted ones, and of all that they import. */
  readonly descriptorSet: Uint8Array;
}

/** How deep imports may go, each level asked for at once. */
const MAX_ROUNDS = 64;

/**
 * Asks an instance by gRPC reflection, v1 or else v1alpha.
 *
 * @param wanted - of which services descriptors are wanted
 * @throws CallError `CALL_FAILED` with UNIMPLEMENTED where there is no reflection, `ANSWER_MALFORMED`; what calls throw.
 */
export async function reflect(
  channel: ServiceChannel,
  wanted: (service: string) => boolean,
  options: BytesCallOptions,
): Promise<Reflected> {
  for (const rpc of reflectionRpcs) {
    try {
      return await reflectWith(asker(channel, rpc, options), wanted);
    } catch (thrown) {
      if (!isServingError(thrown) || thrown.code !== Status.UNIMPLEMENTED) throw thrown;
    }
  }
  throw servingError(
    "CALL_FAILED",
    "the instance has no reflection; give --descriptor-set or --proto",
    { code: Status.UNIMPLEMENTED },
  );
}

async function reflectWith(ask: Ask, wanted: (service: string) => boolean): Promise<Reflected> {
  const [listed] = await ask([{ $case: "listServices", value: "" }]);
  if (listed?.$case !== "listServicesResponse") throw malformed("no list of services");
  const services = listed.value.service.map(({ name }) => name);
  const files = new FileCollection();
  let questions = services.filter(wanted).map(symbolQuestion);
  const asked = new Set<string>();
  for (let round = 0; questions.length > 0 && round < MAX_ROUNDS; round++) {
    for (const answer of await ask(questions)) take(answer, files);
    const missing = files.missing().filter((name) => !asked.has(name));
    for (const name of missing) asked.add(name);
    questions = missing.map(fileQuestion);
  }
  return { services, descriptorSet: files.descriptorSet() };
}

const symbolQuestion = (value: string): Question => ({ $case: "fileContainingSymbol", value });
const fileQuestion = (value: string): Question => ({ $case: "fileByFilename", value });

/** What an instance does not know (its health service, say, or google's own files) is left out: it may not be needed. */
function take(answer: ReflectionAnswer, files: FileCollection): void {
  if (answer.$case !== "fileDescriptorResponse") return;
  try {
    for (const bytes of answer.value.fileDescriptorProto) files.add(bytes);
  } catch (cause) {
    throw malformed("a descriptor that cannot be read", cause);
  }
}

/** All questions on one stream, one answer each. */
function asker(
  channel: ServiceChannel,
  rpc: (typeof reflectionRpcs)[number],
  options: BytesCallOptions,
): Ask {
  const call = createBytesClient(channel, rpc);
  return async (questions) => {
    const answers: ReflectionAnswer[] = [];
    const encoded = questions.map((messageRequest) =>
      rpc.encodeRequest({ host: "", messageRequest }),
    );
    for await (const bytes of call(each(encoded), options)) {
      const answer = decoded(rpc, bytes);
      if (answer !== undefined) answers.push(answer);
    }
    if (answers.length === questions.length) return answers;
    throw malformed(`${answers.length} answers to ${questions.length} questions`);
  };
}

async function* each(messages: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* messages;
}

function decoded(
  rpc: (typeof reflectionRpcs)[number],
  bytes: Uint8Array,
): ReflectionAnswer | undefined {
  try {
    return rpc.decodeResponse(bytes).messageResponse;
  } catch (cause) {
    throw malformed("bytes that are no answer", cause);
  }
}

function malformed(what: string, cause?: unknown): ServingError {
  return servingError("ANSWER_MALFORMED", `reflection gave ${what}`, { cause });
}
