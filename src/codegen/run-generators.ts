import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ServingError } from "../core/serving-error.js";
import { problemsInText } from "./buf.js";
import { type GeneratedFiles, readGenerated } from "./generated-files.js";
import type { GeneratorPrograms } from "./needed-packages.js";
import { bufTemplate } from "./preset.js";
import { problemsError } from "./proto-problem.js";
import { createShadowImage, type ShadowImage } from "./shadow-image.js";
import { withTypedArrays } from "./typed-array-code.js";

/** The kit's plug-in, as a file for Node. */
const pluginProgram = fileURLToPath(new URL("./main.js", import.meta.url));

/** What the generators are run with. */
export interface GeneratorRun {
  /** A file: buf's image of the protos. */
  readonly image: string;
  /** A folder for files that nobody keeps. */
  readonly scratch: string;
  readonly programs: GeneratorPrograms;
  /** Whether every field that can be a typed array becomes one. */
  readonly typedArrays: boolean;
  /** Runs `buf generate`; throws when it fails. */
  readonly bufGenerate: (image: string, template: string) => Promise<void>;
}

/**
 * Runs ts-proto and the kit's plug-in over an image.
 *
 * @throws ConfigError `PROTO_INVALID`.
 */
export async function runGenerators(run: GeneratorRun): Promise<GeneratedFiles> {
  const { image, scratch, programs, bufGenerate } = run;
  const out = join(scratch, "generated");
  const tsProto = [process.execPath, programs.tsProto];
  const inferwire = [process.execPath, pluginProgram];
  const shadow = shadowOf(await readFile(image), run.typedArrays);
  if (shadow.modules.size === 0) {
    await bufGenerate(image, bufTemplate({ tsProto, inferwire, out }));
    return readGenerated(out);
  }
  const shadowImage = join(scratch, "shadow.binpb");
  await writeFile(shadowImage, shadow.image);
  await Promise.all([
    bufGenerate(shadowImage, bufTemplate({ tsProto, out })),
    bufGenerate(image, bufTemplate({ inferwire, out })),
  ]);
  const files = new Map(await readGenerated(out));
  for (const [path, fields] of shadow.modules) {
    const code = files.get(path);
    if (code === undefined) continue;
    files.set(path, Buffer.from(withTypedArrays(code.toString(), fields, programs.tsProtoVersion)));
  }
  return files;
}

function shadowOf(image: Uint8Array, all: boolean): ShadowImage {
  try {
    return createShadowImage(image, { all });
  } catch (thrown) {
    const problems = problemsInText(ServingError.from(thrown).message);
    throw problems.length > 0 ? problemsError(problems) : thrown;
  }
}
