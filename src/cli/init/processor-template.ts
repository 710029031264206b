import type { Project, Template } from "./project.js";

/** Bytes in, bytes out. */
export const processorTemplate: Template = {
  summary: "bytes in, bytes out",
  generates: false,
  files: (project) => ({
    "src/processor.ts": processor(project),
    "src/client.ts": client,
    "test/processor.test.ts": test(project),
  }),
};

const processor = ({
  className,
}: Project): string => `import { BaseProcessor, type Call, ServerError, Status } from "inferwire/host";

/** Counts the words of a text. */
export default class ${className} extends BaseProcessor {
  /** Once in each lane, before the first call: load the model here. */
  override initialize(): void {}

  override process(data: Uint8Array, _call: Call): Uint8Array {
    const words = Buffer.from(data).toString().split(/\\s+/).filter((word) => word !== "");
    if (words.length === 0) throw new ServerError(Status.INVALID_ARGUMENT, "there are no words");
    return Buffer.from(\`\${words.length}\\n\`);
  }
}
`;

const client = `import { createClient } from "inferwire/client";
import { PredictServiceDefinition } from "inferwire/proto";

const [target = "127.0.0.1:8080", text = "to be or not to be"] = process.argv.slice(2);
await using client = createClient(PredictServiceDefinition, { target });
const { data } = await client.predict({ data: Buffer.from(text) });
console.log(Buffer.from(data).toString().trim());
`;

const test = ({
  className,
}: Project): string => `import { createMemoryPair } from "inferwire/testing";
import { describe, expect, it } from "vitest";
import ${className} from "../src/processor.js";

describe("${className}", () => {
  it("counts words", async () => {
    await using pair = await createMemoryPair(new ${className}());
    const { data } = await pair.client.predict({ data: Buffer.from("to be or not to be") });
    expect(Buffer.from(data).toString()).toBe("6\\n");
  });

  it("refuses a text without words", async () => {
    await using pair = await createMemoryPair(new ${className}());
    await expect(pair.client.predict({ data: Buffer.from(" ") })).rejects.toThrow("no words");
  });
});
`;
