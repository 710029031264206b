import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** The image, with source info, of protos and of the kit's own options. */
export function imageOf(protos: Readonly<Record<string, string>>): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "inferwire-image-"));
  try {
    const options = join("inferwire", "options");
    cpSync(join("proto", options), join(folder, options), { recursive: true });
    for (const [path, text] of Object.entries(protos)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const buf = join("node_modules", ".bin", "buf");
    execFileSync(buf, ["build", folder, "-o", join(folder, "image.binpb")], { stdio: "pipe" });
    return readFileSync(join(folder, "image.binpb"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
