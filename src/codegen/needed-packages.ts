import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type ServingError, servingError } from "../core/serving-error.js";
import { findPackage } from "./find-package.js";

/** The kit as it is installed. */
export interface KitPackage {
  /** Absolute path of its folder, with `proto` in it. */
  readonly folder: string;
  /** The version of a package that the kit is tested with, without any range. */
  versionOf(name: string): string;
}

/** What generating runs; optional peers of the kit. */
export const generatorPackages = ["@bufbuild/buf", "ts-proto", "@bufbuild/protoplugin"] as const;

/** What generated code imports. */
export const importedPackages = ["nice-grpc-common", "@bufbuild/protobuf"] as const;

const PLUGIN_LIBRARY = "@bufbuild/protoplugin";

const INSTALL_TOOLS = "npm install --save-dev --save-exact";

/** Programs of the packages that generating runs. */
export interface GeneratorPrograms {
  /** A file for Node. */
  readonly buf: string;
  /** A file for Node. */
  readonly tsProto: string;
  readonly tsProtoVersion: string;
}

/**
 * Finds the packages that generating needs, those that its output imports among them.
 *
 * @param folder - the user's
 * @throws ConfigError `PEER_MISSING` with the line that installs what is not there.
 */
export function findNeededPackages(folder: string, kit: KitPackage): GeneratorPrograms {
  const buf = findPackage("@bufbuild/buf", folder);
  const tsProto = findPackage("ts-proto", folder);
  const missing = [
    ...(buf === undefined ? ["@bufbuild/buf"] : []),
    ...(tsProto === undefined ? ["ts-proto"] : []),
    // The plugin is a part of the kit, and looks for it from where it lies.
    ...missingOf([PLUGIN_LIBRARY], realpathSync(kit.folder)),
  ];
  if (missing.includes(PLUGIN_LIBRARY) && findPackage(PLUGIN_LIBRARY, folder) !== undefined) {
    const from = `${PLUGIN_LIBRARY} is in ${folder}, where the kit in ${kit.folder} does not look`;
    throw servingError(
      "PEER_MISSING",
      `${from}: npm install inferwire there, and run npx inferwire`,
    );
  }
  const missingImports = missingOf(importedPackages, folder);
  if (buf === undefined || tsProto === undefined || missing.length + missingImports.length > 0) {
    const commands = [
      installLine("npm install", missingImports, kit),
      installLine(INSTALL_TOOLS, missing, kit),
    ];
    const line = commands.filter((command) => command !== "").join(" && ");
    const names = [...missingImports, ...missing].join(", ");
    throw peersMissing(folder, names, line);
  }
  const manifest = readFileSync(join(tsProto, "package.json"), "utf8");
  return {
    buf: bufProgram(buf),
    tsProto: join(tsProto, "protoc-gen-ts_proto"),
    tsProtoVersion: (JSON.parse(manifest) as { readonly version: string }).version,
  };
}

/**
 * Finds buf, for what needs nothing besides.
 *
 * @param folder - the user's
 * @returns a file for Node
 * @throws ConfigError `PEER_MISSING` with the line that installs it.
 */
export function findBuf(folder: string, kit: KitPackage): string {
  const name = "@bufbuild/buf";
  const buf = findPackage(name, folder);
  if (buf !== undefined) return bufProgram(buf);
  throw peersMissing(folder, name, installLine(INSTALL_TOOLS, [name], kit));
}

function bufProgram(folder: string): string {
  return join(folder, "bin", "buf");
}

function peersMissing(folder: string, names: string, line: string): ServingError {
  return servingError("PEER_MISSING", `not installed in ${folder}: ${names}; run: ${line}`);
}

function missingOf(names: readonly string[], folder: string): readonly string[] {
  return names.filter((name) => findPackage(name, folder) === undefined);
}

function installLine(command: string, names: readonly string[], kit: KitPackage): string {
  if (names.length === 0) return "";
  return `${command} ${names.map((name) => `${name}@${kit.versionOf(name)}`).join(" ")}`;
}
