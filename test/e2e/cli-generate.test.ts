import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runHere } from "../support/cli-world.js";
import { emptyFolder, kitFolder } from "../support/folders.js";
import { until } from "../support/until.js";
import { UserProject } from "../support/user-project.js";

const proto = (body = ""): string => `syntax = "proto3";

package mood.v1;

import "google/protobuf/timestamp.proto";
import "inferwire/options/v1/options.proto";

// Tells moods.
service MoodService {
  // Tells the mood of a text.
  rpc Judge(JudgeRequest) returns (JudgeResponse);
}

message JudgeRequest {
  string text = 1;
  repeated float weights = 2 [(inferwire.options.v1.typed_array) = true];
  google.protobuf.Timestamp at = 3;
}

message JudgeResponse {
  double score = 1;
  repeated double details = 2;
}
${body}`;

const path = "proto/mood/v1/mood.proto";

const project = (body?: string): UserProject => new UserProject().link().write(path, proto(body));

const generatedFiles = [
  "descriptor-set.ts",
  "google/protobuf/timestamp.ts",
  "mood/v1/mood.client.ts",
  "mood/v1/mood.processor.ts",
  "mood/v1/mood.testing.ts",
  "mood/v1/mood.ts",
];

describe("inferwire generate", { timeout: 120_000 }, () => {
  it("generates code for the user's protos and what they need, and nothing for the kit's", async () => {
    const user = project();
    const first = await user.run("generate", "--json");
    expect(first.stderr).toBe("");
    expect(JSON.parse(first.stdout)).toMatchObject({ out: "gen", protos: 1, files: 6, written: 6 });
    expect(user.files("gen")).toEqual(generatedFiles);
    expect(user.read("gen/mood/v1/mood.ts")).toMatch(/^ +weights: Float32Array;$/m);
    expect(user.read("gen/mood/v1/mood.ts")).toMatch(/^ +details: number\[\];$/m);
    const again = await user.run("generate");
    expect(again.stdout).toMatch(
      /^6 files from 1 proto, 0 written, 0 removed in gen \(\d+ ms\)\n$/,
    );
  });

  it("makes every field that can be one a typed array when it is told to", async () => {
    const user = project();
    expect((await user.run("generate", "--typed-arrays")).code).toBe(0);
    expect(user.read("gen/mood/v1/mood.ts")).toMatch(/^ +details: Float64Array;$/m);
  });

  it("goes by buf.yaml where there is one", async () => {
    const user = new UserProject()
      .link()
      .write(
        "buf.yaml",
        "version: v2\nmodules:\n  - path: apis\nlint:\n  except: [PACKAGE_VERSION_SUFFIX]\n",
      )
      .write(
        "apis/tree/tree.proto",
        'syntax = "proto3";\npackage tree;\nmessage Tree { repeated Tree children = 1; }\n',
      );
    expect((await user.run("generate", "--out", "code")).code).toBe(0);
    expect(user.files("code")).toEqual(["tree/tree.ts"]);
  });

  it("works where node_modules is a link", async () => {
    const user = new UserProject().write(path, proto());
    symlinkSync(join(kitFolder, "node_modules"), join(user.folder, "node_modules"));
    expect((await user.run("generate")).code).toBe(0);
    expect(user.files("gen")).toEqual(generatedFiles);
  });

  it("removes what it wrote once, touches nothing else, and changes nothing when it fails", async () => {
    const user = project().write(
      "proto/old/v1/old.proto",
      'syntax = "proto3";\npackage old.v1;\nmessage Old {}\n',
    );
    await user.run("generate");
    user.write("gen/old/v1/own.ts", "export {};\n");
    expect(user.files("gen")).toContain("old/v1/old.ts");
    user.write(
      "proto/old/v1/old.proto",
      'syntax = "proto3";\npackage old.v1;\nmessage Old { Nope x = 1; }\n',
    );
    expect((await user.run("generate")).code).toBe(2);
    expect(user.files("gen")).toEqual([...generatedFiles, "old/v1/old.ts", "old/v1/own.ts"]);
    rmSync(join(user.folder, "proto/old"), { recursive: true });
    expect((await user.run("generate")).stdout).toContain("1 removed");
    expect(user.files("gen")).toEqual([...generatedFiles, "old/v1/own.ts"]);
  });

  it("overwrites no file that it did not write", async () => {
    const user = project().write("gen/mood/v1/mood.client.ts", "// mine\n");
    const { code, stderr } = await user.run("generate");
    expect(code).toBe(2);
    expect(stderr).toContain("gen/mood/v1/mood.client.ts is in the way");
    expect(user.files("gen")).toEqual(["mood/v1/mood.client.ts"]);
    expect(user.read("gen/mood/v1/mood.client.ts")).toBe("// mine\n");
  });

  it("tells in --check what differs, and writes nothing", async () => {
    const user = project();
    const missing = await user.run("generate", "--check");
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("gen does not match the protos: descriptor-set.ts is missing");
    expect(missing.stderr).toContain("GENERATED_STALE");
    await user.run("generate");
    expect((await user.run("generate", "--check")).stdout).toContain("gen matches the protos");
    user.write("gen/mood/v1/mood.ts", `${user.read("gen/mood/v1/mood.ts")}// more\n`);
    const { code, stderr } = await user.run("generate", "--check");
    expect(code).toBe(2);
    expect(stderr).toContain("mood/v1/mood.ts differs");
    expect(user.read("gen/mood/v1/mood.ts")).toContain("// more");
  });

  it("compares with a ref of git, also below the root of the repository", async () => {
    const user = new UserProject(join(emptyFolder(), "services", "mood"))
      .link()
      .write(path, proto());
    const root = new UserProject(join(user.folder, "../.."));
    root.git("init", "--quiet");
    root.git("add", "services/mood/proto");
    root.git("commit", "--quiet", "--message", "first");
    root.git("tag", "v1");
    expect((await user.run("generate", "--against", "v1")).code).toBe(0);
    user.write(path, proto().replace("double score = 1", "float score = 1"));
    const broken = await user.run("generate", "--against", "v1");
    expect(broken.code).toBe(2);
    expect(broken.stderr).toMatch(
      /proto\/mood\/v1\/mood\.proto:\d+:3: .*"score".*\(FIELD_SAME_TYPE\)/,
    );
    const unknown = await user.run("generate", "--against", "v2");
    expect(unknown.stderr).toContain("--against v2: git knows no such commit, branch or tag");
    expect(unknown.code).toBe(2);
    const nowhere = await project().run("generate", "--against", "v1");
    expect(nowhere.stderr).toContain("is in no git repository");
  });

  it("generates again on a change, goes on after an error, and ends with SIGINT", async () => {
    const user = project();
    const watching = user.startCli("generate", "--watch");
    await watching.said("6 written");
    await watching.said("waiting for changes");
    user.write(path, proto("message Broken { Nope x = 1; }\n"));
    await watching.said("cannot find `Nope` in this scope");
    user.write(path, proto("message Whole { string x = 1; }\n"));
    await until(() => user.read("gen/mood/v1/mood.ts").includes("export interface Whole"), 20_000);
    await watching.said("2 written");
    watching.child.kill("SIGINT");
    expect(await watching.exited).toBe(0);
  });

  it.each([
    ["@bufbuild/buf", "npm install --save-dev --save-exact @bufbuild/buf@"],
    ["ts-proto", "npm install --save-dev --save-exact ts-proto@"],
    ["nice-grpc-common", "npm install nice-grpc-common@"],
    ["@bufbuild/protobuf", "npm install @bufbuild/protobuf@"],
  ])("says how to install %s when it is missing", async (name, line) => {
    const user = new UserProject().link([name]).write(path, proto());
    const { code, stderr } = await runHere(["generate"], user.folder);
    expect(code).toBe(2);
    expect(stderr).toContain(`not installed in ${user.folder}: ${name}; run: ${line}`);
    expect(stderr).toMatch(/@\d+\.\d+\.\d+ \(PEER_MISSING: /);
  });
});

describe("protos that are wrong", { timeout: 120_000 }, () => {
  interface Case {
    readonly what: string;
    readonly files: Readonly<Record<string, string>>;
    readonly says: readonly string[];
    readonly args?: readonly string[];
    /** Whether it is the plug-in that finds it, which runs as it is built only. */
    readonly built?: boolean;
  }
  const v1 = 'syntax = "proto3";\npackage a.v1;\n';
  const lax = "version: v2\nmodules:\n  - path: proto\nlint:\n  use: [MINIMAL]\n";
  const cases: readonly Case[] = [
    {
      what: "a syntax error",
      files: { "proto/a/v1/a.proto": 'syntax = "proto3";\npackage a.v1\nmessage A {}\n' },
      says: [
        "error: proto/a/v1/a.proto:3:1: unexpected `message` after `package` declaration (PROTO_INVALID",
      ],
    },
    {
      what: "an import that is missing",
      files: { "proto/a/v1/a.proto": `${v1}import "nope/x.proto";\n` },
      says: ['proto/a/v1/a.proto:3:1: imported file does not exist: "nope/x.proto"'],
    },
    {
      what: "several problems in several files",
      files: {
        "proto/a/v1/a.proto": `${v1}message A { Nope x = 1; }\n`,
        "proto/a/v1/b.proto": `${v1}message B {\n  string badName = 1;\n  Nope y = 2;\n}\n`,
      },
      says: [
        "proto/a/v1/a.proto:3:13: cannot find `Nope` in this scope\n",
        "proto/a/v1/b.proto:5:3: cannot find `Nope` in this scope\n",
        "error: 2 problems in 2 files (PROTO_INVALID",
      ],
    },
    {
      what: "a rule that is broken",
      files: { "proto/a/v1/a.proto": `${v1}message A {\n  string badName = 1;\n}\n` },
      says: ["proto/a/v1/a.proto:4:10: Field name", "(FIELD_LOWER_SNAKE_CASE)"],
    },
    {
      what: "names that become one",
      built: true,
      files: {
        "buf.yaml": lax,
        "proto/a/v1/a.proto": `${v1}message A {}\nservice S {\n  rpc DoIt(A) returns (A);\n  rpc doIt(A) returns (A);\n}\n`,
      },
      says: ["proto/a/v1/a.proto:6:7: rpc a.v1.S.doIt becomes doIt, which is rpc a.v1.S.DoIt"],
    },
    {
      what: "a typed array of texts",
      files: {
        "proto/a/v1/a.proto": `${v1}import "inferwire/options/v1/options.proto";\nmessage A {\n  repeated string x = 1 [(inferwire.options.v1.typed_array) = true];\n}\n`,
      },
      says: ["proto/a/v1/a.proto:5:19: field a.v1.A.x cannot be a typed array"],
    },
    {
      what: "a path that would be read as code",
      files: { "proto/a'b\"/x.proto": v1 },
      says: [`proto/a'b"/x.proto: "a'b\\"/x.proto" cannot be the path of a module`],
    },
    {
      what: "a buf.yaml that cannot be read",
      files: { "buf.yaml": "version: v2\nmodules:\n  - pth: proto\n" },
      says: ["buf.yaml", "line 3: field pth not found"],
    },
    { what: "no protos at all", files: {}, says: ["has neither a folder proto nor a buf.yaml"] },
    {
      what: "an empty folder of protos",
      files: { "proto/x.txt": "" },
      says: ["there are no .proto files in "],
    },
    {
      what: "an output folder that holds the project",
      files: { "proto/a/v1/a.proto": v1 },
      args: ["--out", "."],
      says: ["expected a folder of its own, such as gen"],
    },
    {
      what: "flags that exclude each other",
      files: {},
      args: ["--watch", "--check"],
      says: ["--watch and --check exclude each other"],
    },
  ];

  it.each(cases)(
    "$what: one clear message, and exit code 2",
    async ({ files, says, args = [], built = false }) => {
      const user = new UserProject().link();
      for (const [file, text] of Object.entries(files)) user.write(file, text);
      const { code, stdout, stderr } = await (built
        ? user.run("generate", ...args)
        : runHere(["generate", ...args], user.folder));
      expect(code).toBe(2);
      expect(stdout).toBe("");
      for (const text of says) expect(stderr).toContain(text);
      expect(stderr).not.toMatch(/^ +at /m);
    },
  );
});
