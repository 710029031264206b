// Also for its side effect: nice-grpc teaches grpc-js to give up on a connection that does not come up
// (https://github.com/grpc/grpc-node/issues/2785); `grpc.min_reconnect_backoff_ms` below is the limit that it reads.
import "nice-grpc";
import { isIPv4, isIPv6 } from "node:net";
import {
  Channel,
  type ChannelInterface,
  type ChannelOptions,
  connectivityState,
  type InterceptingListener,
  type Metadata,
  type StatusObject,
} from "@grpc/grpc-js";
import { runOutsideCalls } from "../core/ambient-call.js";
import { addressText, type Instance } from "../core/instance.js";
import { type Clock, LONGEST_TIMER_MS, systemClock } from "../core/ports.js";
import type { Status } from "../core/status.js";
import { LOAD_TRAILER, readLoadReport } from "../wire/load-report.js";
import { backgroundCredentials } from "./background-credentials.js";
import { ConnectionHold } from "./connection-hold.js";
import { grpcCredentials, serverNameOptions } from "./grpc-credentials.js";
import { attemptEnd } from "./grpc-end.js";
import { createGrpcHealth } from "./grpc-health.js";
import { grpcMetadataFrom, grpcMetadataView } from "./grpc-metadata.js";
import { localEnd } from "./local-end.js";
import type {
  Attempt,
  AttemptEnd,
  AttemptListener,
  AttemptStart,
  CountingTransport,
  TransportHealth,
  TransportOptions,
  TransportState,
} from "./transport.js";

type GrpcCall = ReturnType<ChannelInterface["createCall"]>;

const DEFAULT_CONNECT_TIMEOUT_MS = 2_000;
/** Source: https://github.com/grpc/proposal/blob/master/A6-client-retries.md */
const PREVIOUS_ATTEMPTS = "grpc-previous-rpc-attempts";
const FLOW_CONTROL_WINDOW_BYTES = 4 * 1024 * 1024;
const LONGEST_PING_WAIT_MS = 10_000;

const states: Readonly<Record<connectivityState, TransportState>> = {
  [connectivityState.IDLE]: "idle",
  [connectivityState.CONNECTING]: "connecting",
  [connectivityState.READY]: "ready",
  [connectivityState.TRANSIENT_FAILURE]: "failed",
  [connectivityState.SHUTDOWN]: "closed",
};

/**
 * Makes the way to an instance over gRPC: one grpc-js channel with one connection.
 *
 * @throws ConfigError `INVALID_OPTION` for TLS material that cannot be used.
 */
export function createGrpcTransport(
  instance: Instance,
  options: TransportOptions,
): CountingTransport {
  return new GrpcTransport(instance, options);
}

class GrpcTransport implements CountingTransport {
  readonly instance: Instance;
  readonly health: Required<TransportHealth>;
  readonly #channel: Channel;
  readonly #hold = new ConnectionHold();
  readonly #clock: Clock;
  readonly #background: boolean;
  readonly #loadReports: boolean;
  readonly #listeners = new Set<(state: TransportState) => void>();

  constructor(instance: Instance, options: TransportOptions) {
    const { tls, background = false, loadReports = false } = options;
    const { clock = systemClock, random = Math.random } = options;
    this.instance = instance;
    this.#clock = clock;
    this.health = {
      ...createGrpcHealth(this, { clock, random }),
      bytesRead: () => this.#hold.bytesRead,
    };
    this.#background = background;
    this.#loadReports = loadReports;
    this.#channel = new Channel(
      channelTarget(instance),
      backgroundCredentials(grpcCredentials(tls), this.#hold),
      channelOptions(options),
    );
    this.#watch(connectivityState.IDLE);
  }

  get underWay(): number {
    return this.#hold.underWay;
  }

  get state(): TransportState {
    return states[this.#channel.getConnectivityState(false)];
  }

  connect(): void {
    if (this.state === "closed") return;
    runOutsideCalls(() => this.#channel.getConnectivityState(true));
  }

  onState(listener: (state: TransportState) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  start(start: AttemptStart, listener: AttemptListener): Attempt {
    const metadata = requestMetadata(start);
    const { state } = this;
    if (state === "closed") return unsent("the connection was closed", listener);
    // The connection and grpc-js's timers outlive the call that needs them first, and must not keep what it is made for.
    if (state === "ready") return this.#begin(start, metadata, listener);
    return runOutsideCalls(() => this.#begin(start, metadata, listener));
  }

  #begin(start: AttemptStart, metadata: Metadata, listener: AttemptListener): Attempt {
    const deadline = Date.now() + countedTimeout(start.timeoutMs);
    const call = this.#channel.createCall(start.path, deadline, null, null, 0);
    const background = this.#background || start.background === true;
    return new GrpcAttempt(call, metadata, this.#hold, background, this.#loadReports, listener);
  }

  close(): void {
    if (this.state === "closed") return;
    this.#channel.close();
    this.#hold.close(this.#clock);
  }

  // No deadline, so grpc-js keeps no timer, and the watch ends with the channel.
  #watch(known: connectivityState): void {
    this.#channel.watchConnectivityState(known, Number.POSITIVE_INFINITY, () => {
      const next = this.#channel.getConnectivityState(false);
      if (next !== connectivityState.SHUTDOWN) this.#watch(next);
      const state = states[next];
      for (const listener of [...this.#listeners]) listener(state);
      if (state === "closed") this.#listeners.clear();
    });
  }
}

/** One grpc-js call; the attempt and the call's listener in one, since every call makes one. */
class GrpcAttempt implements Attempt, InterceptingListener {
  readonly #call: GrpcCall;
  readonly #listener: AttemptListener;
  readonly #hold: ConnectionHold;
  readonly #background: boolean;
  readonly #loadReports: boolean;
  #headers = false;
  #cancelled = false;

  constructor(
    call: GrpcCall,
    metadata: Metadata,
    hold: ConnectionHold,
    background: boolean,
    loadReports: boolean,
    listener: AttemptListener,
  ) {
    this.#call = call;
    this.#listener = listener;
    this.#hold = hold;
    this.#background = background;
    this.#loadReports = loadReports;
    hold.begin(background);
    call.start(metadata, this);
  }

  send(message: Uint8Array, flushed?: () => void): void {
    const { buffer, byteOffset, byteLength } = message;
    const bytes = Buffer.isBuffer(message) ? message : Buffer.from(buffer, byteOffset, byteLength);
    this.#call.sendMessageWithContext(flushed === undefined ? {} : { callback: flushed }, bytes);
  }

  halfClose(): void {
    this.#call.halfClose();
  }

  read(): void {
    this.#call.startRead();
  }

  cancel(code: Status, message: string): void {
    this.#cancelled = true;
    this.#call.cancelWithStatus(code, message);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#headers = true;
    this.#listener.onHeaders(grpcMetadataView(metadata));
  }

  onReceiveMessage(message: Uint8Array): void {
    this.#listener.onMessage(message);
  }

  onReceiveStatus(status: StatusObject): void {
    this.#hold.end(this.#background);
    const sight = { headers: this.#headers, cancelled: this.#cancelled };
    const end = attemptEnd(status, sight);
    this.#listener.onEnd(this.#loadReports ? withLoad(end, status.metadata) : end);
  }
}

/** The end with the load report that came with it, if one did. */
function withLoad(end: AttemptEnd, trailers: Metadata): AttemptEnd {
  const bytes = trailers.get(LOAD_TRAILER)[0];
  const load = bytes === undefined || typeof bytes === "string" ? undefined : readLoadReport(bytes);
  return load === undefined ? end : { ...end, load };
}

/**
 * Request headers as grpc-js's own.
 *
 * @throws ConfigError `INVALID_OPTION` for what cannot be sent.
 */
export function requestMetadata({ metadata, previousAttempts }: AttemptStart): Metadata {
  const made = grpcMetadataFrom(metadata);
  if (previousAttempts === 0) return made;
  // A copy: what was made of grpc-js's own metadata is that object, and it is the call's.
  const counted = made.clone();
  counted.set(PREVIOUS_ATTEMPTS, String(previousAttempts));
  return counted;
}

/** A time limit that a timer can count; those further away are none. */
export function countedTimeout(timeoutMs: number): number {
  return timeoutMs > LONGEST_TIMER_MS ? Number.POSITIVE_INFINITY : timeoutMs;
}

/** An attempt on a closed transport. */
export function unsent(message: string, listener: AttemptListener): Attempt {
  process.nextTick(() => listener.onEnd(localEnd("CONNECT_FAILED", message)));
  return { send() {}, halfClose() {}, read() {}, cancel() {} };
}

/** grpc-js's spelling of an address; the scheme keeps it from asking DNS about an IP. */
function channelTarget({ host, port }: Instance): string {
  const address = addressText(host, port);
  if (isIPv4(host)) return `ipv4:${address}`;
  return isIPv6(host) ? `ipv6:${address}` : `dns:${address}`;
}

function channelOptions(options: TransportOptions): ChannelOptions {
  const { maxMessageBytes, pingIntervalMs, tls } = options;
  return {
    ...serverNameOptions(tls),
    ...pingOptions(pingIntervalMs),
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxMessageBytes,
    "grpc.min_reconnect_backoff_ms": options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.max_reconnect_backoff_ms": 5_000,
    "grpc-node.flow_control_window": FLOW_CONTROL_WINDOW_BYTES,
    "grpc.enable_channelz": 0,
    // An instance is addressed directly, and libraries read no environment.
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.use_local_subchannel_pool": 1,
    // Retries belong to the caller, who knows other instances. Without room for replays grpc-js says that a message is
    // flushed when it is, not when it was copied for a retry that never comes.
    "grpc.enable_retries": 0,
    "grpc.per_rpc_retry_buffer_size": 0,
  };
}

function pingOptions(intervalMs: number): ChannelOptions {
  if (intervalMs === 0) return {};
  return {
    "grpc.keepalive_time_ms": intervalMs,
    "grpc.keepalive_timeout_ms": Math.min(intervalMs, LONGEST_PING_WAIT_MS),
    "grpc.keepalive_permit_without_calls": 1,
  };
}
