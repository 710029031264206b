import { describe, expect, it } from "vitest";
import { emptyMetadata, metadataOf } from "../../../../src/core/metadata.js";
import { servingError } from "../../../../src/core/serving-error.js";
import { Status } from "../../../../src/core/status.js";
import type { HttpReply } from "../../../../src/server/http.js";
import { rpcStatusOf } from "../../../../src/server/rpc-errors.js";
import { percentEncoded } from "../../../../src/server/web/grpc-web.js";
import type { WebProtocol } from "../../../../src/server/web/web-protocol.js";
import {
  carriesKind,
  isPlainGrpc,
  isWebOnly,
  webProtocolOf,
  webTypesFor,
} from "../../../../src/server/web/web-protocols.js";

function protocol(type: string): WebProtocol {
  const found = webProtocolOf(type);
  if (found === undefined) throw new Error(`no protocol ${type}`);
  return found;
}

const text = ({ body = "" }: HttpReply): string =>
  typeof body === "string" ? body : Buffer.from(body).toString("latin1");

const ok = { code: Status.OK, message: "", trailers: metadataOf({ "x-tail": "t" }) };
const failed = rpcStatusOf(servingError("UNAUTHENTICATED", "a wrong token, 100%"));
const message = Uint8Array.of(65, 66);

const endOf = (type: string, answer: Uint8Array | undefined, status: typeof ok | typeof failed) => {
  const headers = metadataOf({ "x-head": "h" });
  return protocol(type).whole({ headers, message: answer, status });
};

describe("webProtocolOf", () => {
  it.each([
    ["application/grpc-web", "grpc-web", "both", false, true],
    ["application/grpc-web+proto", "grpc-web", "both", false, true],
    ["APPLICATION/gRPC-Web-Text; charset=utf-8", "grpc-web", "both", false, true],
    ["application/proto", "connect", "unary", false, false],
    ["application/json;charset=utf-8", "connect", "unary", true, false],
    ["application/connect+proto", "connect", "server streaming", false, true],
    ["application/connect+json", "connect", "server streaming", true, true],
  ])("knows %s", (type, door, carries, json, webOnly) => {
    expect(protocol(type)).toMatchObject({ door, carries, json });
    expect(isWebOnly(type)).toBe(webOnly);
  });

  it.each([undefined, "", "text/plain", "application/grpc", "application/grpc-web+json", "json"])(
    "knows no %s",
    (type) => {
      expect([webProtocolOf(type), isWebOnly(type)]).toEqual([undefined, false]);
    },
  );

  it("tells gRPC's own types and the types of each kind", () => {
    const types = ["application/grpc", "application/grpc+proto", "application/grpc-web"];
    expect(types.map(isPlainGrpc)).toEqual([true, true, false]);
    expect(webTypesFor({ responseStream: false })).toContain("application/json");
    expect(webTypesFor({ responseStream: true })).not.toContain("application/json");
    expect(carriesKind(protocol("application/connect+json"), { responseStream: false })).toBe(
      false,
    );
  });
});

describe("gRPC-Web", () => {
  const trailers = "grpc-status: 0\r\nx-tail: t\r\n";

  it("answers with a message and trailers in envelopes", () => {
    const reply = endOf("application/grpc-web", message, ok);
    expect(text(reply)).toBe(
      `\0\0\0\0\x02AB\x80\0\0\0${String.fromCharCode(trailers.length)}${trailers}`,
    );
    expect(reply).toMatchObject({
      status: 200,
      headers: { "x-head": "h", "content-type": "application/grpc-web+proto" },
    });
  });

  it("answers in base64 to base64", () => {
    const binary = text(endOf("application/grpc-web", message, ok));
    const reply = endOf("application/grpc-web-text", message, ok);
    expect(Buffer.from(text(reply), "base64").toString("latin1")).toBe(binary);
    expect(reply.headers?.["content-type"]).toBe("application/grpc-web-text+proto");
  });

  it("has an error before any message in its headers", () => {
    expect(endOf("application/grpc-web+proto", undefined, failed)).toEqual({
      status: 200,
      headers: {
        "x-head": "h",
        "content-type": "application/grpc-web+proto",
        "grpc-accept-encoding": "identity",
        "inferwire-reason": "UNAUTHENTICATED",
        "grpc-status": "16",
        "grpc-message": "a wrong token, 100%25",
      },
    });
  });

  it("ends an empty stream with trailers in the body", () => {
    expect(text(endOf("application/grpc-web", undefined, ok))).toContain(trailers);
  });

  it.each([
    ["plain ~ text", "plain ~ text"],
    ["50% ✗\r\n", "50%25 %E2%9C%97%0D%0A"],
    ["half \ud800 pair", "half %EF%BF%BD pair"],
  ])("percent-encodes %j", (plain, encoded) => {
    expect(percentEncoded(plain)).toBe(encoded);
  });

  it("refuses what is compressed", () => {
    for (const header of ["grpc-encoding", "content-encoding"]) {
      const headers = metadataOf({ [header]: "gzip" });
      expect(() => protocol("application/grpc-web").timeoutMs(headers)).toThrow(
        expect.objectContaining({ reason: "NOT_OVER_WEB" }),
      );
    }
  });
});

describe("Connect, unary", () => {
  it("answers with the message as it is, and trailers among the headers", () => {
    const reply = endOf("application/proto", message, ok);
    expect([reply.status, text(reply)]).toEqual([200, "AB"]);
    expect(reply.headers).toEqual({
      "x-head": "h",
      "trailer-x-tail": "t",
      "content-type": "application/proto",
    });
  });

  it("answers errors with an HTTP status and JSON", () => {
    const reply = endOf("application/proto", undefined, failed);
    expect([reply.status, JSON.parse(text(reply))]).toEqual([
      401,
      { code: "unauthenticated", message: "a wrong token, 100%" },
    ]);
    expect(reply.headers).toMatchObject({
      "content-type": "application/json",
      "trailer-inferwire-reason": "UNAUTHENTICATED",
    });
  });

  it.each([
    [{ "connect-protocol-version": "2" }, "MALFORMED_REQUEST"],
    [{ "connect-timeout-ms": "soon" }, "MALFORMED_REQUEST"],
    [{ "content-encoding": "br" }, "NOT_OVER_WEB"],
  ])("refuses %j", (headers, reason) => {
    const read = () => protocol("application/json").timeoutMs(metadataOf(headers));
    expect(read).toThrow(expect.objectContaining({ reason }));
  });

  it("takes calls with and without a version", () => {
    const { timeoutMs } = protocol("application/json");
    expect(timeoutMs(emptyMetadata)).toBe(Number.POSITIVE_INFINITY);
    const headers = metadataOf({ "connect-protocol-version": "1", "connect-timeout-ms": "70" });
    expect(timeoutMs(headers)).toBe(70);
  });
});

describe("Connect, streams", () => {
  const last = (piece: Uint8Array | undefined): unknown => [
    piece?.[0],
    JSON.parse(
      Buffer.from(piece ?? [])
        .subarray(5)
        .toString(),
    ),
  ];

  it("ends with JSON in an envelope of its own", () => {
    const { stream } = protocol("application/connect+json");
    expect(last(stream?.lastPiece(ok))).toEqual([2, { metadata: { "x-tail": ["t"] } }]);
    expect(last(stream?.lastPiece(failed))).toEqual([
      2,
      {
        error: { code: "unauthenticated", message: "a wrong token, 100%" },
        metadata: { "inferwire-reason": ["UNAUTHENTICATED"] },
      },
    ]);
  });

  it("answers an error before the first message with 200 as well", () => {
    const reply = endOf("application/connect+proto", undefined, failed);
    expect(reply.status).toBe(200);
    expect(text(reply)).toContain('"code":"unauthenticated"');
  });

  it("refuses what is compressed", () => {
    const headers = metadataOf({ "connect-content-encoding": "gzip" });
    expect(() => protocol("application/connect+proto").timeoutMs(headers)).toThrow(
      expect.objectContaining({ reason: "NOT_OVER_WEB" }),
    );
  });
});
