import { generatorPackages, importedPackages } from "../../codegen/needed-packages.js";
import type { Project, Template } from "./project.js";

/** Tools of every project. */
const tools = ["@types/node", "typescript", "vitest"];

/** Versions of tools are exact, so that what was generated and checked once is so everywhere. */
export function packageJson(project: Project, { generates }: Template): string {
  const { packageName, kit, versionOf } = project;
  const imported = generates ? importedPackages : [];
  const developed = [...(generates ? generatorPackages : []), ...tools].sort();
  const manifest = {
    name: packageName,
    version: "0.1.0",
    private: true,
    type: "module",
    engines: { node: ">=20.19" },
    scripts: {
      ...(generates ? { generate: "inferwire generate" } : {}),
      build: "tsc -p tsconfig.build.json",
      check: `${generates ? "inferwire generate --check && " : ""}tsc`,
      test: "vitest run",
      start: "npm run --silent build && node dist/src/main.js",
      client: "npm run --silent build && node dist/src/client.js",
    },
    dependencies: Object.fromEntries(
      [
        ...imported.map((name) => [name, `^${versionOf(name)}`] as const),
        ["inferwire", kit] as const,
      ].sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    devDependencies: Object.fromEntries(developed.map((name) => [name, versionOf(name)])),
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}
