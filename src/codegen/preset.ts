/**
 * How the kit has ts-proto write messages, in its own `buf.gen.yaml` as in users' projects. `env` stays at its default:
 * `node` would copy every field of bytes into a Buffer.
 */
export const tsProtoOptions: readonly string[] = [
  "outputServices=nice-grpc",
  "outputServices=generic-definitions",
  "importSuffix=.js",
  "esModuleInterop=true",
  "forceLong=bigint",
  "oneof=unions-value",
  "useOptionals=none",
  "useExactTypes=false",
  "outputJsonMethods=false",
  "outputPartialMethods=true",
  "useMapType=true",
  "enumsAsLiterals=true",
  "useDate=false",
  "annotateFilesWithVersion=false",
];

/** A program of the plug-in: a file that runs by itself, or a program with its first arguments. */
export type PluginCommand = string | readonly string[];

/** What {@link bufTemplate} is made for. */
export interface BufTemplateOptions {
  /** ts-proto's plug-in; left out: messages are not written. */
  readonly tsProto?: PluginCommand | undefined;
  /** The kit's plug-in; left out: clients, processors and pairs are not written. */
  readonly inferwire?: PluginCommand | undefined;
  /** The folder of generated code. */
  readonly out: string;
}

/**
 * Makes what `buf generate --template` takes: JSON that runs ts-proto on all protos and what they import, and the kit's
 * plug-in on the protos themselves. Protos whose fields come out as typed arrays need two runs: ts-proto reads their
 * shadow image, the kit's plug-in the protos as they are.
 */
export function bufTemplate({ tsProto, inferwire, out }: BufTemplateOptions): string {
  // One run for all files: by folder, each would write a descriptor set of its own.
  const shared = { out, strategy: "all" };
  const plugins: object[] = [];
  if (tsProto !== undefined) {
    plugins.push({ local: tsProto, ...shared, include_imports: true, opt: tsProtoOptions });
  }
  if (inferwire !== undefined) plugins.push({ local: inferwire, ...shared });
  return JSON.stringify({ version: "v2", plugins }, undefined, 2);
}
