/** Calls the chat service from a page, with each of the libraries that people use in browsers. */
import {
  createConnectBinaryClient,
  createConnectGrpcWebClient,
  createConnectJsonClient,
} from "./connect-web-client.js";
import { createGrpcWebTextClient } from "./grpc-web-text-client.js";
import { createNiceWebClient } from "./nice-web-client.js";
import type { CreateWebClient, WebCall } from "./web-client.js";

/** A library, by the name that it has in tests. */
export type Library =
  | "nice-grpc-web"
  | "connect-web, JSON"
  | "connect-web, binary"
  | "connect-web as gRPC-Web"
  | "grpc-web, text";

const libraries: Readonly<Record<Library, CreateWebClient>> = {
  "nice-grpc-web": createNiceWebClient,
  "connect-web, JSON": createConnectJsonClient,
  "connect-web, binary": createConnectBinaryClient,
  "connect-web as gRPC-Web": createConnectGrpcWebClient,
  "grpc-web, text": createGrpcWebTextClient,
};

/** One call, as a test asks the page for it. */
export interface Asked {
  readonly library: Library;
  readonly address: string;
  readonly method: "complete" | "chat";
  readonly prompt: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Sends cookies along. Of nice-grpc-web alone. */
  readonly credentials?: boolean;
}

/** How it ended. */
export interface Answered {
  readonly texts: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly failure?: { readonly code: number; readonly message: string };
}

declare global {
  /** Makes one call. Every text is handed to `received` as it comes. */
  var ask: (asked: Asked) => Promise<Answered>;
  /** Cancels the call. */
  var cancel: () => void;
  /** The test's. */
  var received: (text: string) => Promise<void>;
}

globalThis.ask = async ({
  library,
  address,
  method,
  prompt,
  headers = {},
  timeoutMs,
  credentials = false,
}) => {
  const client = libraries[library](address, credentials);
  const abort = new AbortController();
  globalThis.cancel = () => abort.abort();
  const metadata: Record<string, string> = {};
  const call: WebCall = {
    prompt,
    headers,
    timeoutMs,
    signal: abort.signal,
    onMetadata(name, value) {
      metadata[name] = value;
    },
  };
  const texts: string[] = [];
  try {
    if (method === "complete") texts.push(await client.complete(call));
    else {
      for await (const text of client.chat(call)) {
        texts.push(text);
        await received(text);
      }
    }
    return { texts, metadata };
  } catch (error) {
    return { texts, metadata, failure: client.failure(error, call) };
  }
};
