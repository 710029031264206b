import { describe, expect, it } from "vitest";
import { metadataOf } from "../../../src/core/metadata.js";
import { createCors } from "../../../src/server/cors.js";
import { type CorsOptions, checkCors } from "../../../src/server/cors-options.js";

const PAGE = "https://app.example";

const head = (method: string, headers: Record<string, string>, path = "/a.B/C") => ({
  kind: "http" as const,
  method,
  path,
  peer: "127.0.0.1:1",
  metadata: metadataOf(headers),
});

const question = (origin: string) => ({ origin, "access-control-request-method": "POST" });

function corsOf(options: CorsOptions) {
  const rules = checkCors(options, "cors");
  if (rules === undefined) throw new Error("no rules");
  return createCors(rules, (path) => !path.startsWith("/api/builtin/"));
}

describe("createCors", () => {
  it("answers the question of a page that is listed", () => {
    const cors = corsOf({ origins: [PAGE], allowHeaders: ["X-Session"], maxAgeSeconds: 60 });
    const asked = head("OPTIONS", question(PAGE));
    const reply = cors.preflight(asked);
    expect(reply?.status).toBe(200);
    expect(reply?.headers?.["access-control-allow-headers"]).toMatch(/authorization.*, x-session$/);
    expect(reply?.headers?.["access-control-max-age"]).toBe("60");
    expect(cors.headersFor(asked, reply?.headers ?? {})).toEqual({
      "access-control-allow-origin": PAGE,
      vary: "Origin",
    });
  });

  it("refuses a page that is not, and says nothing that would let it in", () => {
    const cors = corsOf({ origins: [PAGE] });
    for (const origin of ["https://other.example", "https://app.example.evil", "null"]) {
      const asked = head("OPTIONS", question(origin));
      expect(cors.preflight(asked)?.status).toBe(403);
      expect(cors.headersFor(asked, {})).toEqual({ vary: "Origin" });
    }
  });

  it("lets pages read every header of an answer", () => {
    const cors = corsOf({ origins: [PAGE], credentials: true });
    const headers = { "grpc-status": "16", "inferwire-reason": "UNAUTHENTICATED" };
    expect(cors.headersFor(head("POST", { origin: PAGE }), headers)).toEqual({
      "access-control-allow-origin": PAGE,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "grpc-status, inferwire-reason",
      vary: "Origin",
    });
  });

  it("adds to what an answer says itself that it varies by", () => {
    const cors = corsOf({ origins: [PAGE] });
    for (const origin of [PAGE, "https://other.example"]) {
      const { vary } = cors.headersFor(head("GET", { origin }), { vary: "Accept" });
      expect(vary).toBe("Accept, Origin");
    }
    const any = corsOf({ origins: "*" });
    expect(any.headersFor(head("GET", { origin: PAGE }), { vary: "Accept" })).not.toHaveProperty(
      "vary",
    );
  });

  it("lets any page call with a star, and never as its user", () => {
    const cors = corsOf({ origins: "*" });
    expect(cors.headersFor(head("POST", { origin: "null" }), {})).toEqual({
      "access-control-allow-origin": "*",
    });
  });

  it("has no word for paths that no page may call, nor for other requests", () => {
    const cors = corsOf({ origins: [PAGE] });
    const asked = head("OPTIONS", question(PAGE), "/api/builtin/ping");
    expect([cors.preflight(asked), cors.headersFor(asked, {})]).toEqual([undefined, {}]);
    expect(cors.preflight(head("OPTIONS", { origin: PAGE }))).toBeUndefined();
    expect(cors.preflight(head("POST", question(PAGE)))).toBeUndefined();
    expect(cors.headersFor(head("POST", {}), {})).toEqual({ vary: "Origin" });
  });
});

describe("checkCors", () => {
  it("fills what is left out", () => {
    expect(checkCors({ origins: [PAGE] }, "cors")).toEqual({
      origins: [PAGE],
      allowHeaders: [],
      maxAgeSeconds: 7_200,
      credentials: false,
    });
    expect(checkCors(undefined, "cors")).toBeUndefined();
  });

  it.each([
    "http://localhost:5173",
    "https://[::1]:8443",
    "capacitor://localhost",
    "chrome-extension://abcdef",
  ])("takes the origin %s", (origin) => {
    expect(checkCors({ origins: [origin] }, "cors")?.origins).toEqual([origin]);
  });

  it.each([
    "https://app.example/",
    "https://app.example/page",
    "https://App.example",
    "https://app.example:443",
    "http://app.example:80",
    "app.example",
    "*",
    "https://*.example",
    "null",
    "",
    5,
  ])("refuses the origin %j", (origin) => {
    const check = () => checkCors({ origins: [origin as string] }, "cors");
    expect(check).toThrow(expect.objectContaining({ reason: "INVALID_OPTION" }));
  });

  it.each([
    [{}],
    [{ origins: [] }],
    [{ origins: PAGE }],
    [{ origins: "*", credentials: true }],
    [{ origins: [PAGE], maxAgeSeconds: -1 }],
    [{ origins: [PAGE], maxAgeSeconds: 86_401 }],
    [{ origins: [PAGE], allowHeaders: ["a b"] }],
    [{ origins: [PAGE], allowHeaders: ["*"] }],
    [{ origins: [PAGE], credentials: "yes" }],
  ])("refuses %j", (options) => {
    const check = () => checkCors(options as CorsOptions, "options.cors");
    expect(check).toThrow(
      expect.objectContaining({
        reason: "INVALID_OPTION",
        message: expect.stringContaining("options.cors."),
      }),
    );
  });
});
