import type { Command } from "commander";
import { type ChannelFlags, configureChannelFlags } from "../channel-flags.js";
import { configureDescriptorFlags, type DescriptorFlags } from "../descriptor-flags.js";
import { repeated } from "../flag-values.js";

/** Flags of `inferwire call`. */
export interface CallFlags extends ChannelFlags, DescriptorFlags {
  readonly data?: string;
  readonly header?: readonly string[];
  readonly idempotent?: boolean;
  readonly template?: boolean;
  readonly list?: boolean;
}

/** Adds the flags of {@link CallFlags}. */
export function configureCallFlags(command: Command): void {
  command
    .option(
      "--data <json>",
      "request as JSON, @FILE, or @- for stdin; of a stream a JSON list, or one a line",
    )
    .option(
      "--header <key:value>",
      "metadata to send, may be repeated; of a key that ends in -bin, in base64",
      repeated,
    )
    .option("--idempotent", "doing the work twice is harmless: try again after broken connections")
    .option("--template", "print an empty request of the method, and call nothing")
    .option("--list", "print services and methods, and call nothing");
  configureDescriptorFlags(command);
  configureChannelFlags(command);
}
