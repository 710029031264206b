import type { Clock, Logger } from "../core/ports.js";
import { createSnapshotKeeper, type SnapshotKeeper } from "./snapshot-keeper.js";
import type { Source } from "./source.js";
import type { StaticTarget } from "./target/target-kind.js";

/** What of a static target its source needs. */
type StaticList = Pick<StaticTarget, "service" | "instances">;

/** Makes the source of a fixed list: one snapshot, no error, ever. */
export function createStaticSource(
  target: StaticList,
  options: { readonly clock: Clock; readonly logger: Logger },
): Source {
  const { service, instances } = target;
  const name = "static";
  let keeper: SnapshotKeeper | undefined;
  return {
    name,
    service,
    start(listener) {
      const { clock, logger } = options;
      const started = createSnapshotKeeper({ source: name, service, clock, logger, listener });
      keeper = started;
      queueMicrotask(() => started.accept({ instances, rejected: 0 }));
    },
    async close() {
      keeper?.close();
    },
  };
}
