import type { MetadataView } from "../../core/metadata.js";
import type { CallExtras } from "../call-context.js";
import type { ChannelCore } from "../channel-core.js";
import type { TokenSource } from "../client-options.js";
import type { MethodPolicy } from "../method-table.js";

/** Request headers that the policy may add to. */
export interface RequestHead {
  /** What is sent. */
  readonly view: MetadataView;
  has(key: string): boolean;
  set(key: string, value: string): void;
}

/** What a call is run with. */
export interface CallStart {
  readonly core: ChannelCore;
  readonly owner: { readonly closed: boolean };
  readonly method: MethodPolicy;
  readonly extras: CallExtras;
  /** Instead of the channel's. */
  readonly token?: TokenSource | undefined;
  /** On the channel's clock; Infinity for none. */
  readonly deadlineMs: number;
}
