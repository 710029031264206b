import type { ChannelFlags } from "../channel-flags.js";

/** Flags of `inferwire resolve`. */
export interface ResolveFlags extends ChannelFlags {
  readonly watch?: boolean;
}
