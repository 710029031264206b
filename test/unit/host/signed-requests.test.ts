import { describe, expect, it } from "vitest";
import { metadataOf } from "../../../src/core/metadata.js";
import { createAccess } from "../../../src/host/access.js";
import type { HostOptions } from "../../../src/host/host-options.js";
import { resolveHostOptions } from "../../../src/host/resolve-host-options.js";
import { easSignature } from "../../../src/wire/eas-signature.js";
import {
  type SignedVector,
  signedVectors,
  VECTOR_DATE,
  VECTOR_TOKEN,
} from "../../support/signed-vectors.js";

const [first] = signedVectors;

function request(
  { resource, contentType, contentMd5, signature }: SignedVector,
  changed: Record<string, string | undefined> = {},
) {
  const { target = resource, method = "POST", ...headers } = changed;
  const all = {
    authorization: `EAS ${signature}`,
    "content-md5": contentMd5,
    "content-type": contentType,
    date: VECTOR_DATE,
    ...headers,
  };
  const entries = Object.entries(all).filter(
    (one): one is [string, string] => one[1] !== undefined,
  );
  return {
    kind: "http" as const,
    method,
    target,
    path: target.split("?")[0] ?? "",
    peer: "10.0.0.1:9",
    metadata: metadataOf(entries),
  };
}

const DATE_MS = Date.parse(VECTOR_DATE);

function refusal(
  head: ReturnType<typeof request>,
  options: HostOptions = { token: VECTOR_TOKEN },
  nowMs = DATE_MS,
) {
  return createAccess(resolveHostOptions(options), () => nowMs)(head);
}

describe("createAccess, signed requests", () => {
  it.each(signedVectors)("lets $what in", (vector) => {
    expect(refusal(request(vector))).toBeUndefined();
    expect(refusal(request(vector), { token: ["other", VECTOR_TOKEN] })).toBeUndefined();
    expect(refusal(request(vector), { token: "other", adminToken: VECTOR_TOKEN })).toBeUndefined();
  });

  it.each(signedVectors)("refuses $what with anything changed, and says no more", (vector) => {
    const changes: Record<string, string | undefined>[] = [
      { "content-md5": "0" },
      { "content-md5": undefined },
      { date: "Sat, 21 Nov 2026 10:00:01 GMT" },
      { date: undefined },
      { target: "/api/predict/other" },
      { target: `${vector.resource}x` },
      { method: "PUT" },
      { authorization: `EAS ${vector.signature.slice(0, -2)}` },
      { authorization: `EAS ${vector.signature.toLowerCase()}` },
      { authorization: "EAS " },
      { authorization: vector.signature },
      { authorization: `Bearer ${vector.signature}` },
    ];
    const rules = createAccess(resolveHostOptions({ token: VECTOR_TOKEN }), () => 0);
    // What was let in once is remembered for nothing else.
    expect(rules(request(vector))).toBeUndefined();
    for (const change of changes) {
      const refused = rules(request(vector, change));
      expect([change, refused?.reason]).toEqual([change, "UNAUTHENTICATED"]);
      expect(refused?.message).toMatch(
        /^a wrong (signature, expected one over content-md5,|token,)/,
      );
      expect(refused?.message).not.toContain(vector.signature);
    }
    expect(refusal(request(vector), { token: "other" })?.reason).toBe("UNAUTHENTICATED");
  });

  it("takes another Content-Type than the signed one where that is what SDKs sign anyhow, and nowhere else", () => {
    const changed = signedVectors.map((vector) => [
      vector.contentType,
      refusal(request(vector, { "content-type": "text/plain" }))?.reason,
    ]);
    const bytes = ["application/octet-stream", undefined];
    expect(changed).toEqual([bytes, bytes, ["application/json", "UNAUTHENTICATED"], bytes]);
  });

  it("takes headers that are not there for empty", () => {
    const parts = { contentMd5: "", contentType: "", date: "", resource: "/x" };
    const signature = easSignature(VECTOR_TOKEN, parts).slice(4);
    const head = request(
      { ...parts, body: "", what: "", signature },
      {
        "content-md5": undefined,
        "content-type": undefined,
        date: undefined,
      },
    );
    expect(refusal(head)).toBeUndefined();
  });

  it("takes Java's custom URL, whose own query is not signed, and Go's first call", () => {
    if (first === undefined) throw new Error("no vector");
    expect(refusal(request(first, { target: `${first.resource}?own=1` }))).toBeUndefined();
    const parts = { ...first, resource: `${first.resource}/`, date: VECTOR_DATE };
    const authorization = easSignature(VECTOR_TOKEN, parts);
    expect(refusal(request(first, { authorization }))).toBeUndefined();
  });

  it("lets builtins that change state be signed with the admin token alone", () => {
    const parts = { contentMd5: "", contentType: "", resource: "/api/builtin/term", body: "" };
    const signed = (token: string) =>
      request({
        ...parts,
        what: "",
        signature: easSignature(token, { ...parts, date: VECTOR_DATE }).slice(4),
      });
    const options = { token: "user", adminToken: "root" };
    expect(refusal(signed("root"), options)).toBeUndefined();
    expect(refusal(signed("user"), options)?.reason).toBe("UNAUTHENTICATED");
  });

  it("signs no gRPC call", () => {
    if (first === undefined) throw new Error("no vector");
    const { target: _, ...head } = request(first);
    const rules = createAccess(resolveHostOptions({ token: VECTOR_TOKEN }), () => 0);
    expect(rules({ ...head, kind: "rpc" })?.reason).toBe("UNAUTHENTICATED");
  });

  const hourMs = 3_600_000;
  const dates: readonly [string, number, number, RegExp | undefined][] = [
    ["any Date by default", Number.POSITIVE_INFINITY, 400 * hourMs, undefined],
    ["a Date that is just near enough", hourMs, hourMs, undefined],
    ["one that is too old", hourMs, hourMs + 1, /^the date header is 3600001 ms behind, expected/],
    ["one from the future", hourMs, -hourMs - 1, /^the date header is 3600001 ms ahead, expected/],
  ];
  it.each(dates)("judges %s", (_, maxClockSkewMs, laterMs, problem) => {
    if (first === undefined) throw new Error("no vector");
    const options = { token: VECTOR_TOKEN, maxClockSkewMs };
    const refused = refusal(request(first), options, DATE_MS + laterMs);
    if (problem === undefined) expect(refused).toBeUndefined();
    else
      expect([refused?.reason, refused?.message]).toEqual([
        "UNAUTHENTICATED",
        expect.stringMatching(problem),
      ]);
    expect(refusal(request(first, { authorization: VECTOR_TOKEN }), options, 0)).toBeUndefined();
  });

  it.each([
    ["missing", undefined],
    ["unreadable", "yesterday"],
  ])("refuses a %s Date where its distance matters", (what, date) => {
    const parts = { contentMd5: "", contentType: "", resource: "/x", body: "" };
    const signature = easSignature(VECTOR_TOKEN, { ...parts, date: date ?? "" }).slice(4);
    const head = request({ ...parts, what, signature }, { date });
    const refused = refusal(head, { token: VECTOR_TOKEN, maxClockSkewMs: 1_000 });
    expect(refused?.reason).toBe("UNAUTHENTICATED");
    expect(refused?.message).toContain(`the date header is ${what}`);
  });

  it("wants a digest of signed requests where it is to be checked, and of no others", () => {
    const parts = { contentMd5: "", contentType: "", resource: "/x", body: "" };
    const signature = easSignature(VECTOR_TOKEN, { ...parts, date: VECTOR_DATE }).slice(4);
    const options = { token: VECTOR_TOKEN, checkContentMd5: true };
    const head = { ...parts, what: "", signature };
    expect(refusal(request(head), options)).toMatchObject({
      reason: "MALFORMED_REQUEST",
      message: "content-md5 is missing, signed requests need it",
    });
    expect(refusal(request(head, { authorization: VECTOR_TOKEN }), options)).toBeUndefined();
  });
});
