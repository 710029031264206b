import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { compileProto } from "../../../src/cli/compile-proto.js";
import { declaredServices } from "../../../src/wire/file-registry.js";

const folder = mkdtempSync(join(tmpdir(), "inferwire-compile-"));
const packages = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const { signal } = new AbortController();
const { env } = process;

/** A folder in which buf is installed. */
const equipped = join(folder, "equipped");
mkdirSync(equipped);
symlinkSync(packages, join(equipped, "node_modules"));
const write = (name: string, text: string) => writeFileSync(join(equipped, name), text);
write("part.proto", 'syntax = "proto3"; package p; message A { bytes raw = 1; }');
write(
  "fine.proto",
  'syntax = "proto3"; package p; import "part.proto"; service S { rpc Do(A) returns (A); }',
);
write("broken.proto", 'syntax = "proto3";\nmessage A {\n  Missing m = 1;\n  Gone n = 2;\n}\n');

afterAll(() => rmSync(folder, { recursive: true }));

describe("compileProto", () => {
  it("compiles a proto with what it imports", async () => {
    const set = await compileProto("fine.proto", undefined, { folder: equipped, env, signal });
    expect(declaredServices(set)).toEqual(["p.S"]);
  });

  it("names every problem with its place, and lists them for machines", async () => {
    const compiled = compileProto("broken.proto", undefined, { folder: equipped, env, signal });
    await expect(compiled).rejects.toMatchObject({
      reason: "PROTO_INVALID",
      message: expect.stringMatching(/^broken\.proto:3:3: .*; broken\.proto:4:3: /),
      details: { problems: [{ file: "broken.proto", line: 3, column: 3 }, { line: 4 }] },
    });
  });

  it("says in which version buf is to be installed", async () => {
    writeFileSync(join(folder, "fine.proto"), 'syntax = "proto3";');
    await expect(compileProto("fine.proto", undefined, { folder, env, signal })).rejects.toThrow(
      /npm install --save-dev --save-exact @bufbuild\/buf@\d+\.\d+\.\d+$/,
    );
  });

  it("is cancelled by the signal", async () => {
    const stopped = { folder: equipped, env, signal: AbortSignal.abort() };
    await expect(compileProto("fine.proto", undefined, stopped)).rejects.toMatchObject({
      reason: "CANCELLED",
    });
  });
});
