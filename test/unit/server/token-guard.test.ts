import { describe, expect, it } from "vitest";
import { emptyMetadata, metadataOf } from "../../../src/core/metadata.js";
import { adminRefusal } from "../../../src/server/admin-gate.js";
import { textLine } from "../../../src/server/logger.js";
import { createTokenGuard } from "../../../src/server/token-guard.js";

describe("createTokenGuard", () => {
  it("lets everybody in without a token", () => {
    const guard = createTokenGuard(undefined);
    expect([guard.open, guard.accepts(undefined)]).toEqual([true, true]);
  });

  it("takes any of its tokens, bare or as Bearer, and nothing else", () => {
    const guard = createTokenGuard(["one", "two"]);
    for (const good of ["one", "two", "Bearer one", "bearer  two", "one"]) {
      expect([good, guard.accepts(good)]).toEqual([good, true]);
    }
    for (const wrong of [
      undefined,
      "",
      "three",
      "ONE",
      "Bearer",
      "onetwo",
      new Uint8Array([111]),
    ]) {
      expect([wrong, guard.accepts(wrong)]).toEqual([wrong, false]);
    }
  });

  it("refuses to guard by nothing", () => {
    for (const tokens of ["", [], ["a", ""], "secret\n", " x", "ü", 7 as never]) {
      expect(() => createTokenGuard(tokens, "options.token")).toThrow(/options\.token (is|has)/);
    }
  });
});

describe("adminRefusal", () => {
  const head = (peer: string, headers: Record<string, string> = {}) => ({
    kind: "http" as const,
    method: "POST",
    path: "/api/builtin/term",
    metadata: Object.keys(headers).length === 0 ? emptyMetadata : metadataOf(headers),
    peer,
  });
  const open = createTokenGuard(undefined);
  const guarded = createTokenGuard("root");

  it("without an admin token takes this machine, and no proxy on it", () => {
    for (const peer of ["127.0.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"]) {
      expect(adminRefusal(head(peer), open)).toBeUndefined();
    }
    expect(adminRefusal(head("10.0.0.1:5"), open)?.reason).toBe("FORBIDDEN");
    for (const name of [
      "forwarded",
      "x-forwarded-for",
      "x-forwarded-host",
      "x-real-ip",
      "cf-connecting-ip",
      "via",
    ]) {
      expect(adminRefusal(head("127.0.0.1:5", { [name]: "x" }), open)?.reason).toBe("FORBIDDEN");
    }
  });

  it("with one takes it from anywhere, and nothing else", () => {
    expect(adminRefusal(head("10.0.0.1:5", { authorization: "root" }), guarded)).toBeUndefined();
    expect(adminRefusal(head("127.0.0.1:5"), guarded)?.reason).toBe("UNAUTHENTICATED");
  });

  it("without one takes nobody who asks for another host's name", () => {
    for (const host of ["localhost:8080", "127.0.0.1", "[::1]:8080"]) {
      expect(adminRefusal(head("127.0.0.1:5", { host }), open)).toBeUndefined();
    }
    for (const host of ["evil.example", "evil.example:8080", "127.0.0.1.evil.example"]) {
      expect(adminRefusal(head("127.0.0.1:5", { host }), open)?.reason).toBe("FORBIDDEN");
    }
  });

  it("never takes a web page, also where the browser sends no origin", () => {
    for (const site of ["cross-site", "same-site", "same-origin"]) {
      const page = { "sec-fetch-site": site, authorization: "root" };
      expect(adminRefusal(head("127.0.0.1:5", page), guarded)?.reason).toBe("FORBIDDEN");
    }
    const typed = { "sec-fetch-site": "none" };
    expect(adminRefusal(head("127.0.0.1:5", typed), open)).toBeUndefined();
  });

  it("never takes a web page", () => {
    const page = { origin: "http://localhost", authorization: "root" };
    expect(adminRefusal(head("127.0.0.1:5", page), guarded)?.reason).toBe("FORBIDDEN");
  });
});

describe("textLine", () => {
  it("writes level, message and fields, an error's stack before them", () => {
    const line = { level: 30, time: 1, msg: "port bound", address: "127.0.0.1:1", tls: false };
    expect(textLine(JSON.stringify(line))).toBe(
      "[INFO] port bound  address=127.0.0.1:1 tls=false\n",
    );
    const failed = {
      level: 50,
      time: 1,
      msg: "could not start",
      err: { stack: "Error: x\n  at y" },
    };
    expect(textLine(JSON.stringify(failed))).toBe("Error: x\n  at y\n[ERROR] could not start\n");
  });

  it("lets no text begin a line or a colour of its own", () => {
    const line = {
      level: 40,
      msg: "call failed\n[INFO] all is well",
      service: "x\n[INFO] stopped\u001b[2J",
      requestId: "\u009b2J",
      err: { stack: "Error: \u001b[31mx\n  at y" },
    };
    expect(textLine(JSON.stringify(line))).toBe(
      'Error: \\u001b[31mx\n  at y\n[WARNING] "call failed\\n[INFO] all is well"  ' +
        'service="x\\n[INFO] stopped\\u001b[2J" requestId="\\u009b2J"\n',
    );
  });
});
