import type { Project, Template } from "./project.js";

/** A service of the user's own proto. */
export const serviceTemplate: Template = {
  summary: "a typed service with a proto of its own",
  generates: true,
  files: (project) => ({
    [`proto/${protoPath(project)}.proto`]: proto(project),
    "src/processor.ts": processor(project),
    "src/client.ts": client(project),
    "test/processor.test.ts": test(project),
  }),
};

const protoPath = ({ protoName }: Project): string => `${protoName}/v1/${protoName}`;

const serviceName = ({ className }: Project): string =>
  className.endsWith("Service") ? className : `${className}Service`;

const proto = (project: Project): string => `syntax = "proto3";

package ${project.protoName}.v1;

// Tells what is in texts.
service ${serviceName(project)} {
  // Classifies one text.
  rpc Classify(ClassifyRequest) returns (ClassifyResponse);
}

// A text to classify.
message ClassifyRequest {
  // May not be empty.
  string text = 1;
}

// What the text is.
message ClassifyResponse {
  // "question" or "statement".
  string label = 1;
  // From 0 to 1: how sure that is.
  double score = 2;
}
`;

const processor = (
  project: Project,
): string => `import { type Call, ServerError, Status } from "inferwire/host";
import type { ClassifyRequest, ClassifyResponse } from "../gen/${protoPath(project)}.js";
import { ${serviceName(project)}Processor } from "../gen/${protoPath(project)}.processor.js";

/** Tells questions from statements. */
export default class ${project.className} extends ${serviceName(project)}Processor {
  /** Once in each lane, before the first call: load the model here. */
  override initialize(): void {}

  override classify({ text }: ClassifyRequest, _call: Call): ClassifyResponse {
    if (text === "") throw new ServerError(Status.INVALID_ARGUMENT, "text is empty");
    const isQuestion = text.trimEnd().endsWith("?");
    return { label: isQuestion ? "question" : "statement", score: isQuestion ? 0.9 : 0.6 };
  }
}
`;

const client = (
  project: Project,
): string => `import { create${serviceName(project)}Client } from "../gen/${protoPath(project)}.client.js";

const [target = "127.0.0.1:8080", text = "to be or not to be?"] = process.argv.slice(2);
await using client = create${serviceName(project)}Client({ target });
const { label, score } = await client.classify({ text });
console.log(\`\${label} \${score}\`);
`;

const test = (project: Project): string => `import { describe, expect, it } from "vitest";
import { create${serviceName(project)}Pair } from "../gen/${protoPath(project)}.testing.js";
import ${project.className} from "../src/processor.js";

describe("${project.className}", () => {
  it("knows a question", async () => {
    await using pair = await create${serviceName(project)}Pair(new ${project.className}());
    const { label } = await pair.client.classify({ text: "to be or not to be?" });
    expect(label).toBe("question");
  });

  it("refuses an empty text", async () => {
    await using pair = await create${serviceName(project)}Pair(new ${project.className}());
    await expect(pair.client.classify({})).rejects.toThrow("text is empty");
  });
});
`;
