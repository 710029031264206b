import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";

/** What `PredictClient.predict` takes: makes the body of a call and reads the answer's. */
export interface PredictRequest<Response> {
  /** The body; called once a call. Whoever sends it does not change it. */
  encode(): Uint8Array;
  /**
   * Reads the body of a 200.
   *
   * @throws FormatError for bytes that are no such answer; the client turns it into a CallError `ANSWER_MALFORMED`.
   */
  decode(body: Uint8Array): Response;
}

/**
 * Checks what is to be sent.
 *
 * @throws ConfigError `INVALID_OPTION` for what is no request.
 */
export function checkRequest<R>(request: PredictRequest<R>): PredictRequest<R> {
  if (typeof request?.encode === "function" && typeof request.decode === "function") return request;
  const expected =
    'expected a request such as new StringRequest("..."), with encode() and decode()';
  throw servingError("INVALID_OPTION", `request is ${seen(request)}, ${expected}`);
}
