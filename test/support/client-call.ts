import { CallRunner } from "../../src/client/call/call-runner.js";
import type { CallExtras } from "../../src/client/call-context.js";
import type { MethodPolicy } from "../../src/client/method-table.js";
import { type MetadataView, metadataOf } from "../../src/core/metadata.js";
import type { AttemptEnd, AttemptListener } from "../../src/transport/transport.js";
import type { FakeChannel } from "./client-channel.js";
import { methodPolicy } from "./method-policy.js";

/** A call that a test runs by hand, and what its app has been told. */
export class TestCall implements AttemptListener {
  readonly runner: CallRunner;
  readonly headers: Map<string, string> = new Map();
  readonly messages: string[] = [];
  headersSeen = 0;
  end: AttemptEnd | undefined;

  constructor(
    channel: FakeChannel,
    options: {
      method?: Partial<MethodPolicy>;
      extras?: CallExtras;
      deadlineMs?: number;
      owner?: { closed: boolean };
    } = {},
  ) {
    const { method, extras = {}, deadlineMs = Number.POSITIVE_INFINITY } = options;
    const policy = methodPolicy(method);
    const owner = options.owner ?? { closed: false };
    this.runner = new CallRunner(
      { core: channel.core, owner, method: policy, extras, deadlineMs },
      this,
    );
  }

  /** As grpc-js's clients begin a call with one request message. */
  begin(message = "hello"): this {
    this.start();
    this.runner.read();
    this.runner.send(Buffer.from(message), undefined);
    this.runner.halfClose();
    return this;
  }

  start(): void {
    const { headers } = this;
    this.runner.start({
      get view(): MetadataView {
        return metadataOf([...headers]);
      },
      has: (key) => headers.has(key),
      set: (key, value) => headers.set(key, value),
    });
  }

  onHeaders(): void {
    this.headersSeen++;
  }

  onMessage(message: Uint8Array): void {
    this.messages.push(Buffer.from(message).toString());
  }

  onEnd(end: AttemptEnd): void {
    if (this.end !== undefined) throw new Error("ended twice");
    this.end = end;
  }
}
