import { createHash } from "node:crypto";
import type { BodyCodec } from "../compression/body-codec.js";
import { loadCodec } from "../compression/load-codec.js";
import { ServingError, servingError } from "../core/serving-error.js";
import type { BodyDecoder, UndecodedCall } from "../door/eas-door.js";
import type { HttpRequest } from "../server/http.js";
import type { ResolvedHostOptions } from "./host-options.js";
import { Turns } from "./turns.js";

/** Bodies that are decompressed at a time: what they may become is held besides what is being received. */
const DECOMPRESSIONS_AT_A_TIME = 4;

/** What is done to the bodies of requests over HTTP; undefined where there is nothing to do. */
export interface BodyDecoders {
  /** For those that the processor is given. */
  readonly calls: BodyDecoder | undefined;
  /** For those of builtins, which nobody compresses. */
  readonly builtins: BodyDecoder | undefined;
}

/** Makes what a host's options want done to bodies: digests are of bodies as sent. */
export async function createBodyDecoders(
  options: Pick<ResolvedHostOptions, "checkContentMd5" | "decompressor" | "limits">,
): Promise<BodyDecoders> {
  const { checkContentMd5, decompressor, limits } = options;
  const builtins = checkContentMd5 ? checkedDigest : undefined;
  if (decompressor === undefined) return { calls: builtins, builtins };
  const codec = await loadCodec(decompressor);
  const turns = new Turns(DECOMPRESSIONS_AT_A_TIME);
  const maxBytes = limits.maxMessageBytes;
  return {
    async calls(body, call) {
      refuseEarly(call, turns.ahead);
      if (checkContentMd5) checkDigest(body, call.request);
      return turns.take(call.abort, () => {
        // Whoever came before has been admitted meanwhile, and the host may have begun to stop.
        refuseEarly(call);
        return decompressed(codec, body, maxBytes);
      });
    },
    builtins,
  };
}

function refuseEarly(call: UndecodedCall, bodiesAhead?: number): void {
  const refusal = call.refusal(bodiesAhead);
  if (refusal !== undefined) throw refusal;
}

async function decompressed(
  codec: BodyCodec,
  body: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array> {
  try {
    return await codec.decompress(body, { maxBytes });
  } catch (thrown) {
    const error = ServingError.from(thrown);
    if (error.reason !== "MALFORMED_REQUEST") throw thrown;
    throw servingError(
      "MALFORMED_REQUEST",
      `${error.message}; this host takes bodies compressed with ${codec.name} (its option decompressor)`,
      { cause: error },
    );
  }
}

const checkedDigest: BodyDecoder = async (body, { request }) => {
  checkDigest(body, request);
  return body;
};

/** Java writes digests as numbers: without the zeros that they begin with. */
const LEADING_ZEROS = /^0+/;

function checkDigest(body: Uint8Array, { headers }: HttpRequest): void {
  const given = headers.get("content-md5");
  if (given === undefined) return;
  const digest = createHash("md5").update(body).digest("hex");
  const bare = (hex: string): string => hex.toLowerCase().replace(LEADING_ZEROS, "");
  if (bare(String(given)) === bare(digest)) return;
  throw servingError(
    "MALFORMED_REQUEST",
    `content-md5 is not the digest of the ${body.byteLength} bytes of the body, expected it in hexadecimal`,
  );
}
