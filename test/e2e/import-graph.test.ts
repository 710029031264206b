import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url);

/** Says the URL of every module that is loaded through `import`, and through `require` from there. */
const loader = `
  import { writeSync } from "node:fs";
  export async function load(url, context, next) {
    writeSync(1, url + "\\n");
    return next(url, context);
  }`;

/** What importing an entry of the package loads. */
async function loadedBy(entry: string): Promise<readonly string[]> {
  const script = `
    import { createRequire, register } from "node:module";
    register("data:text/javascript,${encodeURIComponent(loader)}");
    await import(${JSON.stringify(entry)});
    for (const path of Object.keys(createRequire(import.meta.url).cache)) console.log(path);
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "-e", script],
    { cwd: fileURLToPath(root) },
  );
  return stdout.split("\n").filter((line) => line !== "");
}

const { exports: exported } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
  exports: Record<string, unknown>;
};

const entries = Object.keys(exported)
  .filter((path) => !path.endsWith(".json"))
  .map((path) => `inferwire${path.slice(1)}`);

/** A user of the library loads nothing of the command line, of what generates code, and of what writes metrics when asked. */
const never =
  /\/dist\/src\/(cli|codegen)\/|\/node_modules\/(prom-client|commander|@bomb\.sh|tar|fflate|hdr-histogram-js|@bufbuild\/(protoplugin|buf)|ts-proto|typescript|tsx)\//;

/** Rooms of the kit that an entry has no use for. */
const rooms: Readonly<Record<string, RegExp>> = {
  "inferwire/client":
    /\/dist\/src\/(host|lane|door|server|builtin|processor|directory|eas|tensor|compression)\//,
  "inferwire/eas": /\/dist\/src\/(host|lane|door|server|builtin|processor|directory)\//,
  "inferwire/host": /\/dist\/src\/(client|eas|balance|directory)\/|\/node_modules\/nice-grpc\//,
  "inferwire/directory":
    /\/dist\/src\/(host|lane|door|builtin|processor|client|eas|balance|tensor)\//,
  "inferwire/proto": /\/dist\/src\/(?!wire\/)/,
  "inferwire/tensor": /\/dist\/src\/(?!(tensor|core)\/)|\/node_modules\//,
};

describe("what importing the package loads", () => {
  it("is seen whether it is imported or required", async () => {
    const loaded = await loadedBy("inferwire/client");
    expect(loaded.some((url) => url.endsWith("/dist/src/client/create-client.js"))).toBe(true);
    expect(loaded.some((url) => url.endsWith("/grpc-js/build/src/subchannel.js"))).toBe(true);
  });

  it.each(entries)("%s: nothing of the command line", async (entry) => {
    const loaded = await loadedBy(entry);
    expect(loaded.some((url) => url.includes("/dist/src/"))).toBe(true);
    expect(loaded.filter((url) => never.test(url))).toEqual([]);
  });

  it.each(Object.keys(rooms))("%s: no room of the kit that it has no use for", async (entry) => {
    const loaded = await loadedBy(entry);
    expect(loaded.filter((url) => rooms[entry]?.test(url))).toEqual([]);
  });
});
