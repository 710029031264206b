import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { loadCodec } from "../../src/compression/load-codec.js";
import { easSignature } from "../../src/wire/eas-signature.js";
import { startTestHost } from "../support/hosts.js";
import { exchangeRaw, post, reasonOf } from "../support/raw-http.js";
import { signedVectors, VECTOR_DATE, VECTOR_TOKEN } from "../support/signed-vectors.js";

const options = { token: VECTOR_TOKEN, service: "demo" };
// One for the way through a host; the others are the unit tests'.
const [vector] = signedVectors;
if (vector === undefined) throw new Error("no vector");
const { body, resource, signature, contentMd5, contentType } = vector;

/** What a host answers to the vector, with something else in it than was signed; fetch leaves no Date to its callers. */
async function send(
  port: number,
  changed: Record<string, string> = {},
  { path = resource, sent = body } = {},
): Promise<string> {
  const headers = {
    host: "x",
    authorization: `EAS ${signature}`,
    "content-md5": contentMd5,
    "content-type": contentType,
    date: VECTOR_DATE,
    "content-length": String(sent.length),
    connection: "close",
    ...changed,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return (await exchangeRaw(port, `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${sent}`)).text;
}

describe("signed requests", () => {
  it.each([false, true])("are let in, with checkContentMd5 %s", async (checkContentMd5) => {
    const { port } = await startTestHost({}, { ...options, checkContentMd5 });
    const text = await send(port);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text.slice(text.indexOf("\r\n\r\n") + 4)).toBe(body);
  });

  it("are let in with another type than application/octet-stream, which Go and Java sign whatever they send", async () => {
    expect(contentType).toBe("application/octet-stream");
    const { port } = await startTestHost(
      { process: (_, call) => Buffer.from(String(call.metadata.get("content-type"))) },
      options,
    );
    const text = await send(port, { "content-type": "application/json" });
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toMatch(/\r\n\r\napplication\/json$/);
  });

  it.each<[string, Record<string, string>, string?]>([
    ["digest", { "content-md5": "0".repeat(32) }],
    ["date", { date: "Sat, 21 Nov 2026 10:00:01 GMT" }],
    ["signature", { authorization: `EAS ${signature.slice(1)}` }],
    ["path", {}, `${resource}/other`],
  ])("are refused with another %s than was signed", async (_, changed, path) => {
    const { port } = await startTestHost({}, options);
    const text = await send(port, changed, { path });
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
    expect(text).toContain("a wrong signature, expected one over content-md5");
  });

  it("are held to their body only when that is asked for", async () => {
    const other = { sent: "olleh" };
    const trusting = await startTestHost({}, options);
    expect(await send(trusting.port, {}, other)).toMatch(/^HTTP\/1\.1 200 /);
    const checking = await startTestHost({}, { ...options, checkContentMd5: true });
    const refused = await send(checking.port, {}, other);
    expect(refused).toMatch(/^HTTP\/1\.1 400 /);
    expect(refused).toContain("content-md5 is not the digest of the 5 bytes of the body");
  });

  it("are held to the clock only when that is asked for", async () => {
    const { port } = await startTestHost({}, { ...options, maxClockSkewMs: 0 });
    const refused = await send(port);
    expect(refused).toMatch(/^HTTP\/1\.1 401 /);
    expect(refused).toContain("the date header is ");
    expect((await post(port, "/x", "", { authorization: VECTOR_TOKEN })).status).toBe(200);
  });

  it("are signed over the compressed body", async () => {
    const compressed = await (await loadCodec("snappy")).compress(Buffer.from(body));
    const { port } = await startTestHost(
      {},
      { ...options, decompressor: "snappy", checkContentMd5: true },
    );
    const answerTo = (digest: string) => {
      const parts = { contentMd5: digest, contentType, date: "", resource };
      const authorization = easSignature(VECTOR_TOKEN, parts);
      const headers = { authorization, "content-md5": digest, "content-type": contentType };
      return post(port, resource, compressed, headers);
    };
    const digest = createHash("md5").update(compressed).digest("hex");
    expect((await answerTo(digest)).text).toBe(body);
    const refused = await answerTo(contentMd5);
    expect([refused.status, reasonOf(refused)]).toEqual([400, "MALFORMED_REQUEST"]);
  });
});
