import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { CallAbort } from "../../../src/core/call-abort.js";
import { type ServingError, servingError } from "../../../src/core/serving-error.js";
import type { UndecodedCall } from "../../../src/door/eas-door.js";
import { createBodyDecoders } from "../../../src/host/body-decoders.js";
import type { HostOptions } from "../../../src/host/host-options.js";
import { resolveHostOptions } from "../../../src/host/resolve-host-options.js";
import { fakeHttpRequest } from "../../support/fake-http-request.js";

const body = Buffer.from("n=110");
const digest = "000fc57d8b8e7c41d5ac5a7c0f9b95ec";

const decoders = (options: HostOptions) => createBodyDecoders(resolveHostOptions(options));

const notRefused = (): ServingError | undefined => undefined;

function exchange(contentMd5?: string, refusal: UndecodedCall["refusal"] = notRefused) {
  const headers = contentMd5 === undefined ? {} : { "content-md5": contentMd5 };
  return { request: fakeHttpRequest("POST", "/x", "", headers), abort: new CallAbort(), refusal };
}

describe("createBodyDecoders", () => {
  it("leaves bodies alone unless it is asked for something", async () => {
    expect(await decoders({})).toEqual({ calls: undefined, builtins: undefined });
  });

  it.each([digest, digest.toUpperCase(), digest.slice(3), `00${digest}`, undefined])(
    "takes the digest %s",
    async (contentMd5) => {
      const { calls, builtins } = await decoders({ checkContentMd5: true });
      expect(await calls?.(body, exchange(contentMd5))).toBe(body);
      expect(await builtins?.(body, exchange(contentMd5))).toBe(body);
    },
  );

  it.each([
    "",
    "0",
    digest.slice(4),
    `1${digest}`,
    createHash("md5").update(body).digest("base64"),
  ])("refuses the digest %j", async (contentMd5) => {
    const { calls } = await decoders({ checkContentMd5: true });
    await expect(calls?.(body, exchange(contentMd5))).rejects.toMatchObject({
      reason: "MALFORMED_REQUEST",
      message: expect.stringContaining("content-md5 is not the digest of the 5 bytes"),
    });
  });

  it("compares digests with bodies as sent, and then decompresses them", async () => {
    const sent = gzipSync(body);
    const { calls, builtins } = await decoders({ checkContentMd5: true, decompressor: "gzip" });
    const right = createHash("md5").update(sent).digest("hex");
    expect(String(await calls?.(sent, exchange(right)))).toBe("n=110");
    expect(await builtins?.(sent, exchange(right))).toBe(sent);
    await expect(calls?.(sent, exchange(digest))).rejects.toThrow("content-md5");
  });

  it("holds what comes out to the limit of the port, whichever way that is given", async () => {
    for (const options of [{ maxMessageBytes: 4 }, { limits: { maxMessageBytes: 4 } }]) {
      const { calls } = await decoders({ ...options, decompressor: "gzip" });
      await expect(calls?.(gzipSync(body), exchange())).rejects.toMatchObject({
        reason: "MESSAGE_TOO_LARGE",
        message: "the gzip body holds more than 4 bytes, at most that many are taken",
      });
    }
  });

  it("says what it takes to whoever sends something else", async () => {
    const { calls } = await decoders({ decompressor: "gzip" });
    await expect(calls?.(body, exchange())).rejects.toMatchObject({
      reason: "MALFORMED_REQUEST",
      message:
        "the body is no gzip: incorrect header check; this host takes bodies compressed with gzip (its option decompressor)",
    });
  });

  it("decompresses nothing for a call that would be refused", async () => {
    const { calls } = await decoders({ checkContentMd5: true, decompressor: "gzip" });
    const refusal = () => servingError("DRAINING", "the host is stopping");
    // Neither digest nor gzip would be right.
    await expect(calls?.(body, exchange("0", refusal))).rejects.toMatchObject({
      reason: "DRAINING",
    });
  });

  it("asks with how many bodies wait, and asks again those whose turn has come", async () => {
    const { calls } = await decoders({ decompressor: "gzip" });
    const sent = gzipSync(body);
    const asked: (number | undefined)[][] = [];
    let stopping = false;
    const answers = Array.from({ length: 7 }, async () => {
      const mine: (number | undefined)[] = [];
      asked.push(mine);
      const refusal = (ahead?: number): ServingError | undefined => {
        mine.push(ahead);
        return stopping ? servingError("DRAINING", "the host is stopping") : undefined;
      };
      try {
        return String(await calls?.(sent, exchange(undefined, refusal)));
      } catch (error) {
        return (error as ServingError).reason;
      } finally {
        stopping = true;
      }
    });
    const results = await Promise.all(answers);
    expect(asked.map(([first]) => first)).toEqual([...Array(4).fill(undefined), 0, 1, 2]);
    expect(asked.map(({ length }) => length)).toEqual(Array(7).fill(2));
    expect(results.slice(4)).toEqual(Array(3).fill("DRAINING"));
    expect(results[0]).toBe("n=110");
  });

  it("gives up, not decompressing, who leaves before the turn", async () => {
    const { calls } = await decoders({ decompressor: "gzip" });
    const call = exchange();
    const gone = calls?.(body, call);
    call.abort.abort(servingError("CANCELLED", "gone"));
    await expect(gone).rejects.toThrow("gone");
  });
});
