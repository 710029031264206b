import type { PlainError } from "../../core/error-codec.js";
import { isRecord } from "../../core/record.js";
import type { ServedHost } from "./serve-host.js";

/** What the process that watches tells one that serves. */
export type WatchOrder =
  | {
      readonly type: "start";
      /** Whether another one answers on the port still. */
      readonly takesOver: boolean;
      /** The token to take when the service description asks for one to be made. */
      readonly token: string;
    }
  | {
      /** Another one takes its place. */
      readonly type: "leave";
      /** Whether that one registers under the same name. */
      readonly listed: boolean;
    }
  | { readonly type: "stop" }
  /** Asks for a sign. */
  | { readonly type: "ask" };

/** What a process that serves tells the one that watches. */
export type WatchReport =
  /** It listens to orders; what came before is lost. */
  | { readonly type: "awake" }
  /** The sign that was asked for. */
  | { readonly type: "here" }
  /** It was told to end, and will have done so by then. */
  | { readonly type: "going"; readonly withinMs: number }
  /** Files that it has loaded, or tried to. */
  | { readonly type: "files"; readonly files: readonly string[] }
  | { readonly type: "ready"; readonly served: ServedHost }
  | { readonly type: "failed"; readonly error: PlainError };

/** As it is sent: the module that is served may send messages of its own over the same channel. */
interface Envelope<T> {
  readonly inferwire: T;
}

/** Wraps a message. */
export function wrap<T extends WatchOrder | WatchReport>(message: T): Envelope<T> {
  return { inferwire: message };
}

/** Unwraps what was received; undefined for what others have sent. */
export function unwrap<T extends WatchOrder | WatchReport>(received: unknown): T | undefined {
  if (!isRecord(received) || !isRecord(received["inferwire"])) return undefined;
  return received["inferwire"] as T;
}
