import { describe, expect, it } from "vitest";
import { builtins } from "../../../src/builtin/registry.js";
import { metadataOf } from "../../../src/core/metadata.js";
import { type Access, createAccess } from "../../../src/host/access.js";
import type { HostOptions } from "../../../src/host/host-options.js";
import { resolveHostOptions } from "../../../src/host/resolve-host-options.js";
import { builtinHead } from "../../../src/wire/builtin.js";

/** Every way to call a builtin, by path and verb. */
const ways = builtins.flatMap(({ name, verbs, methods }) => [
  ...verbs.map((verb) => ({
    path: `/api/builtin/${name}`,
    method: verb.name,
    changes: verb.changesState,
  })),
  ...methods.map((method) => ({
    path: builtinHead(method.name).path,
    method: "POST",
    changes: method.changesState,
  })),
]);

const access = (options: HostOptions): Access => createAccess(resolveHostOptions(options), () => 0);

function reasonFor(
  rules: Access,
  { path, method }: { readonly path: string; readonly method: string },
  headers: Record<string, string> = {},
  peer = "127.0.0.1:5",
): string {
  const metadata = metadataOf(headers);
  const refusal = rules({ kind: "http", method, path, metadata, peer });
  return refusal?.reason ?? "let in";
}

describe("createAccess", () => {
  it("guards what changes state, and nothing that only reads", () => {
    const guarded = ways.filter(({ changes }) => changes).map(({ path }) => path);
    expect(new Set(guarded.map((path) => path.slice(path.lastIndexOf("/") + 1)))).toEqual(
      new Set([
        "call",
        "Call",
        "eastool",
        "Eastool",
        "prop",
        "SetProperties",
        "tell",
        "Tell",
        "term",
        "Term",
      ]),
    );
  });

  for (const way of ways.filter(({ changes }) => changes)) {
    it(`lets ${way.method} ${way.path} in by the admin token alone, from anywhere`, () => {
      const rules = access({ token: "user", adminToken: "root" });
      const far = "10.0.0.1:5";
      expect(reasonFor(rules, way)).toBe("UNAUTHENTICATED");
      for (const authorization of ["user", "Bearer user", "wrong"]) {
        expect(reasonFor(rules, way, { authorization })).toBe("UNAUTHENTICATED");
      }
      expect(reasonFor(rules, way, { authorization: "Bearer root" }, far)).toBe("let in");
      const page = { authorization: "Bearer root", origin: "http://localhost" };
      expect(reasonFor(rules, way, page)).toBe("FORBIDDEN");
    });

    it(`without an admin token lets ${way.method} ${way.path} in from this machine alone, with the token`, () => {
      const open = access({});
      expect(reasonFor(open, way)).toBe("let in");
      expect(reasonFor(open, way, {}, "10.0.0.1:5")).toBe("FORBIDDEN");
      for (const name of ["forwarded", "x-forwarded-for", "x-real-ip", "via", "origin"]) {
        expect(reasonFor(open, way, { [name]: "x" })).toBe("FORBIDDEN");
      }
      const rules = access({ token: "user" });
      expect(reasonFor(rules, way)).toBe("UNAUTHENTICATED");
      expect(reasonFor(rules, way, { authorization: "user" })).toBe("let in");
      expect(reasonFor(rules, way, { authorization: "user" }, "10.0.0.1:5")).toBe("FORBIDDEN");
    });
  }

  for (const way of ways.filter(({ changes }) => !changes)) {
    it(`asks ${way.method} ${way.path} for the host's token`, () => {
      const rules = access({ token: "user", adminToken: "root" });
      const far = "10.0.0.1:5";
      expect(reasonFor(rules, way, {}, far)).toBe("UNAUTHENTICATED");
      expect(reasonFor(rules, way, { authorization: "wrong" }, far)).toBe("UNAUTHENTICATED");
      for (const authorization of ["user", "root"]) {
        expect(reasonFor(rules, way, { authorization }, far)).toBe("let in");
      }
      expect(reasonFor(access({}), way, {}, far)).toBe("let in");
    });
  }
});
