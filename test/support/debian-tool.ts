import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program from one of Debian's packages that tests run when it is there. */
export interface DebianTool {
  /** Where it is; undefined when it is not installed. */
  readonly path: string | undefined;
  /** Whether tests that need it are left out; never in CI, where a missing one fails them. */
  readonly missing: boolean;
  /** Behind the name of what needs it: why it does not run, if so. */
  readonly note: string;
  /** The path, or an error that says what to install. */
  required(): string;
}

/** Looks a program up in PATH and where Debian puts servers. */
export function debianTool(program: string, debianPackage: string): DebianTool {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  const path = folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
  const missing = path === undefined && process.env["CI"] === undefined;
  return {
    path,
    missing,
    note: missing ? ` (skipped: no ${program}; Debian's package ${debianPackage} has it)` : "",
    required() {
      if (path !== undefined) return path;
      throw new Error(`no ${program}; Debian's package ${debianPackage} has it`);
    },
  };
}
