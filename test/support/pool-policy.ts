import { channelDefaults } from "../../src/client/client-options.js";
import type { ResolvedPoolPolicy } from "../../src/client/pool-options.js";
import { resolvePoolOptions } from "../../src/client/resolve-pool-options.js";

/** How a pool behaves unless options say otherwise. */
export const defaultPoolPolicy: ResolvedPoolPolicy = {
  ...resolvePoolOptions(channelDefaults),
  healthCheck: channelDefaults.healthCheck,
};
