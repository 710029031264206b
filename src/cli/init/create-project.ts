import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { servingError } from "../../core/serving-error.js";
import { compilerSettings } from "./compiler-settings.js";
import { dockerFiles } from "./docker-files.js";
import { kubernetesFiles } from "./kubernetes-files.js";
import { mainModule } from "./main-module.js";
import { packageJson } from "./package-json.js";
import type { Project, ProjectFiles, Template } from "./project.js";
import { readme } from "./readme.js";
import { serviceDescription } from "./service-description.js";

/** All files of a project. */
export function projectFiles(project: Project, template: Template): ProjectFiles {
  return {
    "package.json": packageJson(project, template),
    ...compilerSettings(template),
    "app.json": serviceDescription(project),
    "src/main.ts": mainModule(project),
    ...template.files(project),
    ...dockerFiles,
    ...(project.kubernetes ? kubernetesFiles(project) : {}),
    ".gitignore": "node_modules\ndist\n.env*\n",
    "README.md": readme(project, template),
  };
}

/**
 * Writes a project into a folder that does not exist yet, or is empty.
 *
 * @throws ConfigError `INVALID_OPTION` when something is there, naming it; nothing has been written then.
 */
export async function writeProject(folder: string, files: ProjectFiles): Promise<void> {
  await checkEmpty(folder);
  // Beside it first, so that a disk that is full leaves no half of a project.
  const scratch = `${folder}.${process.pid}.new`;
  try {
    for (const [path, text] of Object.entries(files)) {
      const file = join(scratch, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    // An empty folder stays the one it is: somebody's shell may be in it.
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(scratch))
      await rename(join(scratch, name), join(folder, name));
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw servingError("INVALID_OPTION", `cannot write to ${folder}: ${text}`, { cause });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** As many names as one line holds. */
const NAMES_SHOWN = 5;

async function checkEmpty(folder: string): Promise<void> {
  const there = await stat(folder).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isDirectory()) {
    throw servingError(
      "INVALID_OPTION",
      `${folder} is a file, expected a folder that is empty or not there yet`,
    );
  }
  const names = (await readdir(folder)).sort();
  if (names.length === 0) return;
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : "";
  throw servingError(
    "INVALID_OPTION",
    `${folder} is not empty: ${names.slice(0, NAMES_SHOWN).join(", ")}${more}; nothing was written`,
  );
}
