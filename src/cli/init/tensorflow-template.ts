import type { Project, Template } from "./project.js";

/** TensorFlow's messages, for callers of EAS's universal processors. */
export const tensorflowTemplate: Template = {
  summary: "named tensors in TensorFlow's messages",
  generates: false,
  files: (project) => ({
    "src/processor.ts": processor(project),
    "src/client.ts": client(project),
    "test/processor.test.ts": test(project),
  }),
};

const processor = ({ className, service }: Project): string => `import {
  type HostOptions,
  ServerError,
  Status,
  type Tensor,
  TensorProcessor,
  tensor,
} from "inferwire/host";

const inputCount = 4;

/** Gives the mean of every row. */
export default class ${className} extends TensorProcessor {
  constructor(options: HostOptions = {}) {
    super({
      service: "${service}",
      ...options,
      dialect: "tensorflow",
      signature: {
        signatureName: "serving_default",
        inputs: [{ name: "rows", shape: [-1, inputCount], dtype: "float32" }],
        outputs: [{ name: "means", shape: [-1], dtype: "float32" }],
      },
    });
  }

  /** Once in each lane, before the first call: load the model here. */
  override initialize(): void {}

  override process(inputs: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const rows = inputs.get("rows");
    const [count = 0, columns] = rows?.shape ?? [];
    if (rows?.dtype !== "float32" || columns !== inputCount) {
      throw new ServerError(Status.INVALID_ARGUMENT, \`rows is not float32 [n, \${inputCount}]\`);
    }
    const means = new Float32Array(count);
    for (let row = 0; row < count; row++) {
      const values = rows.data.subarray(row * inputCount, (row + 1) * inputCount);
      means[row] = values.reduce((sum, value) => sum + value, 0) / inputCount;
    }
    return new Map([["means", tensor("float32", [count], means)]]);
  }
}
`;

const client = ({ service }: Project): string => `import { argv, env } from "node:process";
import { PredictClient, TFRequest } from "inferwire/eas";

const [endpoint = "http://127.0.0.1:8080"] = argv.slice(2);
const client = new PredictClient(endpoint, "${service}", { token: env["TOKEN"] ?? "" });
const request = new TFRequest("serving_default");
request.addFeed("rows", [2, 4], TFRequest.DT_FLOAT, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
console.log(\`\${await client.predict(request)}\`);
await client.close();
`;

const test = ({
  className,
  service,
}: Project): string => `import { PredictClient, TFRequest } from "inferwire/eas";
import { createPair } from "inferwire/testing";
import { describe, expect, it } from "vitest";
import ${className} from "../src/processor.js";

describe("${className}", () => {
  it("gives the mean of every row", async () => {
    await using pair = await createPair(new ${className}());
    const endpoint = \`http://127.0.0.1:\${pair.host.address.port}\`;
    const client = new PredictClient(endpoint, "${service}");
    const request = new TFRequest("serving_default");
    request.addFeed("rows", [2, 4], TFRequest.DT_FLOAT, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const answer = await client.predict(request);
    expect([...answer.getValues("means")]).toEqual([2.5, 6.5]);
    await client.close();
  });
});
`;
