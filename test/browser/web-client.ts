/** A call of the chat service. */
export interface WebCall {
  readonly prompt: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal;
  /** Takes the answer's metadata, headers and trailers alike. */
  onMetadata(name: string, value: string): void;
}

/** The chat service of one library. */
export interface WebClient {
  complete(call: WebCall): Promise<string>;
  chat(call: WebCall): AsyncIterable<string>;
  /** What the library tells of an error: its code and text. Metadata that only the error has goes to the call. */
  failure(error: unknown, call: WebCall): { readonly code: number; readonly message: string };
}

/** Makes the client of a host at `http(s)://HOST:PORT`. */
export type CreateWebClient = (address: string, credentials: boolean) => WebClient;
