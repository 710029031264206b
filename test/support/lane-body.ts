import { decodeMessage, encodeMessage, type LaneMessage } from "../../src/lane/lane-message.js";
import type { LinkReceiver } from "../../src/lane/link.js";
import type { LaneBody, LaneExit } from "../../src/lane/remote-lane.js";

/** The body of a lane whose other side is the test. */
export class TestBody implements LaneBody {
  readonly kind = "process";
  readonly pid = 100;
  readonly exited: Promise<LaneExit>;
  #markExited: (exit: LaneExit) => void = () => {};
  #receiver: LinkReceiver | undefined;
  /** What the host has said. */
  readonly heard: LaneMessage[] = [];
  killed = false;
  readonly link: LaneBody["link"] = {
    open: (receiver) => {
      this.#receiver = receiver;
    },
    send: (head, body) => void this.heard.push(decodeMessage(Buffer.concat([head, body]))),
    close: () => {},
    hold: () => {},
  };

  constructor() {
    this.exited = new Promise((resolve) => {
      this.#markExited = resolve;
    });
  }

  /** What the host has said since it was last asked, by type. */
  types(): string[] {
    return this.heard.splice(0).map(({ type }) => type);
  }

  say(message: LaneMessage): void {
    const { head, body } = encodeMessage(message);
    this.sayBytes(Buffer.concat([head, body]));
  }

  sayBytes(bytes: Buffer): void {
    this.#receiver?.frame(bytes);
  }

  /** Ends the link. */
  hangUp(): void {
    this.#receiver?.ended();
  }

  exit(text = "ended with exit code 3"): void {
    this.#markExited({ text, details: { exitCode: 3 } });
  }

  kill(): void {
    this.killed = true;
  }
}
