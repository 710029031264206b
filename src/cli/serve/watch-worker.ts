import { plainWithCause } from "../../core/error-codec.js";
import { ServingError } from "../../core/serving-error.js";
import { HAND_OVER_MS } from "../../host/host-place.js";
import type { StartableHost } from "../../host/startable-host.js";
import { endWithParent } from "../../processor/end-with-parent.js";
import type { CliContext } from "../command.js";
import { exitCodeOf } from "../exit-code.js";
import { endLater } from "./end-later.js";
import { followModules } from "./module-graph.js";
import { startServing } from "./serve-host.js";
import { readServeSources, type ServeRequest } from "./serve-sources.js";
import { unwrap, type WatchOrder, type WatchReport, wrap } from "./watch-message.js";

/** Serves in a process that another one has started, watches, and shows the results of. */
export async function serveInWorker(request: ServeRequest, context: CliContext): Promise<number> {
  const { clock, terminal } = context;
  endWithParent();
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const modules = followModules((files) => report({ type: "files", files }));
  let host: StartableHost | undefined;
  let stopMs = 0;
  let left: LeaveOrder | undefined;
  const { takesOver, token } = await new Promise<StartOrder>((resolve) => {
    onOrder((order) => {
      if (order.type === "start") resolve(order);
      else if (order.type === "ask") report({ type: "here" });
      else if (order.type === "stop") {
        report({ type: "going", withinMs: stopMs });
        stop.abort();
      }
      // Nobody is connected to a host that is not ready.
      else if (host?.state !== "ready") process.exit();
      else {
        report({ type: "going", withinMs: HAND_OVER_MS + stopMs });
        left = order;
        void host.handOver(order);
      }
    });
    report({ type: "awake" });
  });
  try {
    const sources = await readServeSources(request);
    const { description } = sources;
    if (description !== undefined) report({ type: "files", files: [description] });
    const serving = await startServing(sources, {
      clock,
      signal,
      json: terminal.json,
      generateToken: () => token,
      takesOver,
      created: (made, ms) => {
        host = made;
        stopMs = ms;
      },
    });
    modules.flush();
    if (serving === undefined) return 0;
    if (left === undefined) report({ type: "ready", served: serving.served });
    await serving.closed;
    return 0;
  } catch (thrown) {
    modules.flush();
    report({ type: "failed", error: plainWithCause(ServingError.from(thrown)) });
    return exitCodeOf(thrown);
  } finally {
    endLater(clock);
    process.channel?.unref();
  }
}

type StartOrder = Extract<WatchOrder, { readonly type: "start" }>;
type LeaveOrder = Extract<WatchOrder, { readonly type: "leave" }>;

function onOrder(listener: (order: WatchOrder) => void): void {
  process.on("message", (received: unknown) => {
    const order = unwrap<WatchOrder>(received);
    if (order !== undefined) listener(order);
  });
}

function report(message: WatchReport): void {
  // Without the one that watches nobody wants to know.
  if (process.connected) process.send?.(wrap(message));
}
