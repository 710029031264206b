import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import type { PredictRequest } from "./predict-request.js";
import { printedBy, showText } from "./show.js";

const empty = new Uint8Array();

/**
 * Any body: a text, which goes as UTF-8, or bytes.
 *
 * @example
 * ```ts
 * const answer = await client.predict(new StringRequest('[{"sex": 0, "cp": 1}]'));
 * console.log(answer.toString());
 * ```
 */
export class StringRequest implements PredictRequest<StringResponse> {
  readonly #body: Uint8Array;

  /**
   * @param data - nothing makes an empty body; bytes are not copied
   * @throws ConfigError `INVALID_OPTION` for anything else.
   */
  constructor(data?: string | Uint8Array | null | undefined) {
    const body = typeof data === "string" ? new TextEncoder().encode(data) : (data ?? empty);
    if (!(body instanceof Uint8Array)) {
      throw servingError("INVALID_OPTION", `data is ${seen(data)}, expected a text or bytes`);
    }
    this.#body = body;
  }

  encode(): Uint8Array {
    return this.#body;
  }

  decode(body: Uint8Array): StringResponse {
    return new StringResponse(body);
  }
}

/** Any answer. */
export class StringResponse {
  /** The body as it came. */
  readonly responseData: Uint8Array;

  constructor(responseData: Uint8Array) {
    this.responseData = responseData;
  }

  /** The body as text; what is not UTF-8 in it becomes U+FFFD. */
  toString(): string {
    return new TextDecoder().decode(this.responseData);
  }

  /** What logs in JSON get: the same text. */
  toJSON(): string {
    return String(this);
  }
}

printedBy(StringResponse, (response) => `StringResponse ${showText(String(response))}`);
