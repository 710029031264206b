// Regenerates gen/ from proto/: TypeScript by ts-proto and one descriptor set, as a module, so that it is compiled and
// packed like all else. With --check: fails when that changes
// anything, when the protos break buf's rules, or when they break the last release (proto/release.binpb).
// With --release: takes the protos of today for the last release.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const check = process.argv.includes("--check");
const buf = join("node_modules", ".bin", "buf");

function run(...args) {
  const { status, stderr, stdout } = spawnSync(buf, args, { encoding: "utf8" });
  if (status === 0) return;
  console.error(`buf ${args.join(" ")}\n${stdout}${stderr}`);
  process.exit(1);
}

function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function differences(before, after) {
  const names = new Set([...files(before), ...files(after)]);
  return [...names].filter((name) => {
    try {
      return !readFileSync(join(before, name)).equals(readFileSync(join(after, name)));
    } catch {
      return true;
    }
  });
}

/** Descriptors of every proto and of what it imports, without comments. */
function writeDescriptorSet(folder) {
  const image = join(folder, "inferwire.binpb");
  // Messages of EAS and etcd and the code generator's options belong to no service of ours: nobody asks for them by reflection.
  const others = ["eas", "etcd", join("inferwire", "options")];
  const ours = others.flatMap((folder) => ["--exclude-path", join("proto", folder)]);
  run("build", "--exclude-source-info", "--as-file-descriptor-set", ...ours, "-o", image);
  const base64 = readFileSync(image).toString("base64");
  const lines = base64.match(/.{1,100}/g).map((line) => `  "${line}",`);
  writeFileSync(
    join("gen", "descriptor-set.ts"),
    `// Written by scripts/generate.mjs. DO NOT EDIT.

/** A serialised google.protobuf.FileDescriptorSet of all protos of the kit, in base64. */
export const descriptorSetBase64: string = [
${lines.join("\n")}
].join("");
`,
  );
}

run("lint");
run("breaking", "--against", "proto/release.binpb");
if (process.argv.includes("--release")) run("build", "-o", "proto/release.binpb");

const before = mkdtempSync(join(tmpdir(), "inferwire-gen-"));
const scratch = mkdtempSync(join(tmpdir(), "inferwire-set-"));
try {
  cpSync("gen", before, { recursive: true });
  run("generate");
  writeDescriptorSet(scratch);
  const changed = differences(before, "gen");
  if (check && changed.length > 0) {
    console.error(
      `gen/ does not match proto/: run "npm run gen" and commit\n  ${changed.join("\n  ")}`,
    );
    process.exitCode = 1;
  } else {
    console.log(
      changed.length === 0 ? "gen/ is up to date" : `gen/ changed: ${changed.join(", ")}`,
    );
  }
} finally {
  rmSync(before, { recursive: true });
  rmSync(scratch, { recursive: true });
}
