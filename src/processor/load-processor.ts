import type { CancelTimer, Clock } from "../core/ports.js";
import { isServingError, type ServingError, servingError } from "../core/serving-error.js";
import type { AnyProcessor } from "./processor.js";
import { installRunHook } from "./run-hook.js";
import { prepareTypeScript } from "./typescript-module.js";

/** A module's processor. */
export interface LoadedProcessor {
  readonly processor: AnyProcessor;
  /** Tells the module that its lane is closed: its `run()` resolves. */
  closed(): void;
}

/** What loading needs besides the module. */
export interface LoadPorts {
  readonly clock: Clock;
  /** Whether the lane itself keeps its process or thread alive: not while a module may still call `run()`. */
  hold(on: boolean): void;
  /** What a module is told that starts a host itself. */
  readonly refusal: string;
}

/** How long a module that exports no processor may take to call `run()`, once it has been loaded. */
const RUN_WITHIN_MS = 10_000;

/**
 * Imports a module and finds its processor: what it calls `run()` of, or what it exports as default or as `processor`, a
 * class (made without arguments) or an instance.
 *
 * @throws ProcessorError `INITIALIZE_FAILED` when the module cannot be loaded or has no processor.
 */
export async function loadProcessor(url: string, ports: LoadPorts): Promise<LoadedProcessor> {
  const offer = takeOffer(ports.refusal);
  try {
    await prepareTypeScript(url);
    // A module may wait for its own run(), and so never end being loaded.
    const exports = await Promise.race([importModule(url), offer.processor]);
    const processor = offer.taken ?? exportedProcessor(exports, url);
    return { processor: processor ?? (await runLater(url, offer, ports)), closed: offer.closed };
  } catch (thrown) {
    throw loadError(url, thrown);
  }
}

interface Offer {
  readonly processor: Promise<AnyProcessor>;
  readonly taken: AnyProcessor | undefined;
  readonly closed: () => void;
}

/** Waits for a module's `run()`. */
function takeOffer(refusal: string): Offer {
  let taken: AnyProcessor | undefined;
  let closed = (): void => {};
  const whenClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const processor = new Promise<AnyProcessor>((resolve) => {
    installRunHook({
      refusal,
      async run(offered) {
        if (taken !== undefined) {
          throw servingError("INVALID_OPTION", "the module runs two processors, expected one");
        }
        taken = offered;
        resolve(offered);
        await whenClosed;
      },
    });
  });
  return {
    processor,
    closed,
    get taken() {
      return taken;
    },
  };
}

async function importModule(url: string): Promise<unknown> {
  return await import(url);
}

/** The processor among a module's exports; a CommonJS module's exports are its default. */
function exportedProcessor(exports: unknown, url: string): AnyProcessor | undefined {
  const found = memberOf(exports, "processor") ?? memberOf(exports, "default");
  const candidates = [found, memberOf(found, "processor"), memberOf(found, "default")];
  for (const candidate of candidates) {
    const processor = isClass(candidate) ? new candidate() : candidate;
    if (isProcessor(processor)) return processor;
  }
  if (found === undefined || isPlain(found)) return undefined;
  throw servingError(
    "INITIALIZE_FAILED",
    `${url} exports as its processor something without process()`,
  );
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && key in value
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

function isClass(value: unknown): value is new () => unknown {
  if (typeof value !== "function") return false;
  const isWritten = /^class\b/.test(Function.prototype.toString.call(value));
  return isWritten || typeof memberOf(value.prototype, "process") === "function";
}

function isProcessor(value: unknown): value is AnyProcessor {
  return (
    typeof value === "object" &&
    value !== null &&
    (typeof memberOf(value, "process") === "function" || Array.isArray(memberOf(value, "rpcs")))
  );
}

/** What a CommonJS module without exports of its own gives. */
function isPlain(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** Waits for a `run()` that comes after the module was loaded, until nothing is left that could call it. */
function runLater(url: string, offer: Offer, ports: LoadPorts): Promise<AnyProcessor> {
  return new Promise((resolve, reject) => {
    let cancelTimer: CancelTimer = () => {};
    const settle = (): void => {
      cancelTimer();
      process.off("beforeExit", none);
      ports.hold(true);
    };
    const none = (): void => {
      settle();
      const expected = "expected a default export, one called processor, or a call of run()";
      reject(servingError("INITIALIZE_FAILED", `${url} has no processor: ${expected}`));
    };
    cancelTimer = ports.clock.after(RUN_WITHIN_MS, none, { background: true });
    process.on("beforeExit", none);
    ports.hold(false);
    void offer.processor.then((processor) => {
      settle();
      resolve(processor);
    });
  });
}

function loadError(url: string, thrown: unknown): ServingError {
  if (isServingError(thrown) && thrown.reason === "INITIALIZE_FAILED") return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return servingError("INITIALIZE_FAILED", `${url} could not be loaded: ${text}`, {
    cause: thrown,
  });
}
