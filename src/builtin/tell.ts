import type { HostView } from "./host-view.js";

/** Who was told. */
export interface TellResult {
  /** Lanes that the message was handed to. */
  readonly lanes: number;
}

/** Hands a message to the processor in every lane; does not wait for what it does with it. */
export function tell(host: HostView, message: Uint8Array): TellResult {
  return { lanes: host.tell(message) };
}
