import { stat } from "node:fs/promises";
import { basename, relative, resolve, sep } from "node:path";
import { checkOneOf } from "../../core/options.js";
import { servingError } from "../../core/serving-error.js";
import { KIT_VERSION } from "../../host/version.js";
import type { CliContext } from "../command.js";
import { testedVersion } from "../kit-package.js";
import { projectFiles, writeProject } from "./create-project.js";
import { projectNames } from "./project-name.js";
import { commandLines, nextCommands } from "./readme.js";
import { defaultTemplate, type TemplateName, templates } from "./templates.js";

/** Flags of `init`. */
export interface InitFlags {
  readonly template?: string;
  readonly name?: string;
  readonly kit?: string;
  readonly kubernetes?: boolean;
}

const templateNames = Object.keys(templates) as readonly TemplateName[];

/** Makes a project, and tells what comes next. */
export async function runInit(
  dir: string,
  { template: kind = defaultTemplate, name, kit, kubernetes = false }: InitFlags,
  { folder, terminal }: CliContext,
): Promise<void> {
  // Checked to be one of the words, whatever the text is.
  const template = templates[checkOneOf(kind as TemplateName, "--template", templateNames)];
  const target = resolve(folder, dir);
  const names = projectNames(name ?? basename(target), name === undefined ? "DIR" : "--name");
  const files = projectFiles(
    { ...names, kit: await kitSpec(kit, folder, target), kubernetes, versionOf: testedVersion },
    template,
  );
  await writeProject(target, files);
  const next = [
    ...(target === folder ? [] : ([[`cd ${dir}`, ""]] as const)),
    ...nextCommands(template),
  ] as const;
  const value = { folder: target, files: Object.keys(files), next: next.map(([line]) => line) };
  const count = Object.keys(files).length;
  terminal.result(value, `${count} files in ${dir}\n\nnext:\n${commandLines(next)}`);
}

/** What package.json is to say of the kit. */
async function kitSpec(kit: string | undefined, folder: string, target: string): Promise<string> {
  if (kit === undefined) return `^${KIT_VERSION}`;
  if (/^(?:[\^~]?\d+\.\d+\.\d+[\w.+-]*|latest|next)$/.test(kit)) return kit;
  const file = resolve(folder, kit);
  const there = await stat(file).catch(() => undefined);
  if (there?.isFile() !== true) {
    throw servingError(
      "INVALID_OPTION",
      `--kit is ${JSON.stringify(kit)}, expected a version, or the file of a packed tarball`,
    );
  }
  return `file:${relative(target, file).split(sep).join("/")}`;
}
