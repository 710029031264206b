import { describe, expect, it } from "vitest";
import { withoutUnneeded } from "../../../src/codegen/generated-files.js";

describe("withoutUnneeded", () => {
  it("keeps of imports what the user's code imports itself, directly or not", () => {
    const texts: Readonly<Record<string, string>> = {
      "a/v1/a.ts":
        'import { Any } from "../../google/protobuf/any.js";\nimport type { B } from "./b.js";',
      "a/v1/b.ts": "",
      "google/protobuf/any.ts": 'import { X } from "./x.js";',
      "google/protobuf/x.ts": 'import { Any } from "./any.js";',
      "google/protobuf/descriptor.ts": "",
      "inferwire/options/v1/options.ts":
        'import { Y } from "../../../google/protobuf/descriptor.js";',
    };
    const files = new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)]));
    const kept = withoutUnneeded(files, (path) => path.startsWith("a/"));
    expect([...kept.keys()]).toEqual([
      "a/v1/a.ts",
      "a/v1/b.ts",
      "google/protobuf/any.ts",
      "google/protobuf/x.ts",
    ]);
  });
});
