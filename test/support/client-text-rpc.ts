import type { RpcDefinition } from "../../src/core/rpc-definition.js";

const encode = (text: string): Uint8Array => Buffer.from(text);
const decode = (bytes: Uint8Array): string => {
  const text = Buffer.from(bytes).toString();
  if (text === "undecodable") throw new Error("cannot read this");
  return text;
};

/** A method over texts, in the kit's own form. */
export const textRpc: RpcDefinition<string, string> = {
  path: "/test.Text/Ask",
  requestStream: false,
  responseStream: false,
  encodeRequest: encode,
  decodeRequest: decode,
  encodeResponse: encode,
  decodeResponse: decode,
};
