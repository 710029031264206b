import type { Command } from "commander";

/** Flags that say where descriptors of methods come from; without any the instance is asked by reflection. */
export interface DescriptorFlags {
  readonly descriptorSet?: string;
  readonly proto?: string;
  readonly protoPath?: string;
}

/** Adds the flags of {@link DescriptorFlags}. */
export function configureDescriptorFlags(command: Command): void {
  command
    .option(
      "--descriptor-set <file>",
      "descriptor set to know the method from, instead of reflection",
    )
    .option("--proto <file>", "proto to know the method from, compiled with @bufbuild/buf")
    .option(
      "--proto-path <dir>",
      "folder that imports start from (default: the folder of --proto)",
    );
}
