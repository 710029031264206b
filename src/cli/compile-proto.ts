import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, parse, relative, resolve } from "node:path";
import { createBuf, problemsOf } from "../codegen/buf.js";
import { findBuf } from "../codegen/needed-packages.js";
import { type ProtoProblem, problemText } from "../codegen/proto-problem.js";
import { servingError } from "../core/serving-error.js";
import type { CliContext } from "./command.js";
import { kitFolder, testedVersion } from "./kit-package.js";

/** The kit's own protos, which those of users may import. */
const kitProtos = join(kitFolder, "proto");

/**
 * Compiles a proto, with what it imports, by the buf that is installed where the command runs.
 *
 * @param protoPath - folder that imports start from; by default the proto's own
 * @returns a serialised `google.protobuf.FileDescriptorSet`
 * @throws ConfigError `PROTO_INVALID` with file, line and column, `PEER_MISSING`, `INVALID_OPTION`; CallError `CANCELLED`
 */
export async function compileProto(
  proto: string,
  protoPath: string | undefined,
  { folder, env, signal }: Pick<CliContext, "folder" | "env" | "signal">,
): Promise<Uint8Array> {
  const file = resolve(folder, proto);
  const start = protoPath === undefined ? dirname(file) : resolve(folder, protoPath);
  if (!existsSync(file))
    throw servingError("INVALID_OPTION", `--proto names ${proto}, which is not there`);
  if (relative(start, file).startsWith("..")) {
    throw servingError("INVALID_OPTION", `--proto ${proto} is not below --proto-path ${protoPath}`);
  }
  const program = findBuf(folder, { folder: kitFolder, versionOf: testedVersion });
  // buf takes folders below the one it runs in only: from the root every folder is.
  const { root } = parse(start);
  const vendored = existsSync(join(start, "inferwire"));
  const folders = vendored || start === kitProtos ? [start] : [start, kitProtos];
  const modules = folders.map((path) => ({ path: relative(root, path) }));
  const config = JSON.stringify({ version: "v2", modules });
  const scratch = await mkdtemp(join(tmpdir(), "inferwire-proto-"));
  try {
    const set = join(scratch, "set.binpb");
    const buf = createBuf({ program, folder: root, env, signal });
    const args = ["build", root, "--config", config, "--path", file, "--error-format", "json"];
    const run = await buf(...args, "--as-file-descriptor-set", "--output", set);
    if (run.ok) return await readFile(set);
    const problems = problemsOf(run).map((problem) => placedBelow(problem, root, folder));
    const text = problems.map(problemText).join("; ");
    throw servingError("PROTO_INVALID", text, { details: { problems } });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A problem with its file as people find it. */
function placedBelow(problem: ProtoProblem, root: string, folder: string): ProtoProblem {
  const { file } = problem;
  return file === undefined ? problem : { ...problem, file: relative(folder, join(root, file)) };
}
