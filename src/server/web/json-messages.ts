import { servingError } from "../../core/serving-error.js";
import type { DynamicMethod, DynamicMethods } from "../../wire/dynamic-methods.js";

/** Turns the messages of one method between JSON and bytes. */
export interface JsonMessages {
  /** @throws HostError `MALFORMED_REQUEST`, with the field that does not fit. */
  requestFromJson(text: Uint8Array): Uint8Array;
  /** @throws CallError `ANSWER_MALFORMED` for bytes that are no response. */
  responseToJson(bytes: Uint8Array): Uint8Array;
}

/** Finds the JSON of a method's messages; what reads it is loaded when it is first asked for, and kept. */
export type LoadJsonMessages = (path: string) => Promise<JsonMessages>;

/**
 * Makes the JSON of messages from descriptor sets.
 *
 * @param sets - those of the services besides the kit's own
 */
export function createJsonMessages(sets: readonly Uint8Array[]): LoadJsonMessages {
  let methods: Promise<DynamicMethods> | undefined;
  return async (path) => {
    methods ??= loadMethods(sets);
    const method = (await methods).find(path);
    if (method !== undefined) return jsonOf(method);
    throw servingError(
      "NOT_OVER_WEB",
      `${path} takes no JSON, for its host has no descriptor set of it: give one as the processor's option descriptorSet, or send protobuf's bytes`,
    );
  };
}

async function loadMethods(sets: readonly Uint8Array[]): Promise<DynamicMethods> {
  const [{ createDynamicMethods }, { kitDescriptorSet }] = await Promise.all([
    import("../../wire/dynamic-methods.js"),
    import("../../wire/file-registry.js"),
  ]);
  return createDynamicMethods([kitDescriptorSet(), ...sets]);
}

function jsonOf(method: DynamicMethod): JsonMessages {
  return {
    requestFromJson: (text) => method.requestFromJson(parsed(text)),
    responseToJson: (bytes) => Buffer.from(JSON.stringify(method.responseToJson(bytes))),
  };
}

function parsed(text: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (cause) {
    // Without the parser's own words: they quote the body.
    throw servingError("MALFORMED_REQUEST", "the message is not JSON", { cause });
  }
}
