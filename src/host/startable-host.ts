import type { HostState } from "../builtin/host-view.js";

/** A running host. */
export interface ProcessorHost extends AsyncDisposable {
  readonly state: HostState;
  /** What was bound: port 0 has become a number. */
  readonly address: { readonly host: string; readonly port: number };
  /** Resolves when the host has stopped, whoever stopped it. */
  readonly closed: Promise<void>;
  /**
   * Stops in order: not ready, deregistered, drained, disposed. Idempotent; resolves when everything is over.
   *
   * @param options - `gracePeriodMs`: how long calls in progress may go on; the host's `terminationGracePeriodMs` when
   * left out. What is left then ends with UNAVAILABLE.
   * @throws ConfigError `INVALID_OPTION` for a grace period that is no number of milliseconds.
   */
  close(options?: { readonly gracePeriodMs?: number | undefined }): Promise<void>;
}

/** Options of a host that can be exchanged while it runs. */
export type Secret = "token" | "adminToken" | "directoryToken";

/** A host before it runs; `close` stops it at any time. */
export interface StartableHost extends ProcessorHost {
  /** Starts; resolves when the host is ready. */
  start(): Promise<void>;
  /** From now on these tokens hold; a directory is shown the first one. */
  setSecret(secret: Secret, tokens: readonly string[]): void;
  /**
   * Leaves the port to another process that listens in this one's place: tells callers to connect anew and answers what
   * they still send, for a few seconds, then closes.
   *
   * @param options - `listed`: whether that process registers under the same name, so that the registration stays
   */
  handOver(options: { readonly listed: boolean }): Promise<void>;
}
