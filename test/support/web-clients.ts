import {
  type CallOptions,
  ConnectError,
  createClient as createConnectClient,
  decodeBinaryHeader,
  encodeBinaryHeader,
  type Transport,
} from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import {
  createChannel,
  createClient,
  FetchTransport,
  Metadata,
  type CallOptions as NiceOptions,
  Status,
} from "nice-grpc-web";
import { WebDefinition, type WebEcho, webService } from "./web-service.js";

/** What a caller asks for besides. */
export interface Asked {
  /** Values of keys that end in `-bin` are bytes in hexadecimal, here and in what comes back. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What came of a call, whichever client made it. */
export interface Came {
  /** What was answered, also in front of an error. */
  readonly texts: readonly string[];
  /** 0 when it went well. */
  readonly code: number;
  readonly message: string;
  readonly header: (key: string) => string | undefined;
  readonly trailer: (key: string) => string | undefined;
}

/** A client of `test.web.WebService`, of whichever protocol. */
export interface WebClient {
  unary(text: string, asked?: Asked): Promise<Came>;
  /** @param seen - told of each answer as it comes */
  stream(text: string, asked?: Asked, seen?: (text: string) => void): Promise<Came>;
}

/** What both libraries make. */
interface Methods<O> {
  unary(request: WebEcho, options: O): Promise<WebEcho>;
  serverStream(request: WebEcho, options: O): AsyncIterable<WebEcho>;
}

/** Where a call's options put what they are told. */
interface Told {
  header: (key: string) => string | undefined;
  trailer: (key: string) => string | undefined;
}

/** How a library puts what is asked for, and what it throws. */
interface Library<O> {
  readonly methods: Methods<O>;
  readonly options: (asked: Asked, told: Told) => O;
  readonly errorOf: (
    thrown: unknown,
    told: Told,
  ) => { readonly code: number; readonly message: string };
}

const BIG = 2n ** 60n;

/** Headers with bytes as a library wants them. */
function mapped<V>(
  headers: Readonly<Record<string, string>>,
  encoded: (bytes: Uint8Array) => V,
): Record<string, string | V> {
  const entries = Object.entries(headers).map(([key, value]): [string, string | V] => [
    key,
    key.endsWith("-bin") ? encoded(Buffer.from(value, "hex")) : value,
  ]);
  return Object.fromEntries(entries);
}

function webClient<O>({ methods, options, errorOf }: Library<O>): WebClient {
  const run = async (
    asked: Asked,
    call: (options: O, texts: string[]) => Promise<void>,
  ): Promise<Came> => {
    const told: Told = { header: () => undefined, trailer: () => undefined };
    const texts: string[] = [];
    const came = {
      texts,
      header: (key: string) => told.header(key),
      trailer: (key: string) => told.trailer(key),
    };
    try {
      await call(options(asked, told), texts);
      return { ...came, code: Status.OK, message: "" };
    } catch (thrown) {
      return { ...came, ...errorOf(thrown, told) };
    }
  };
  return {
    unary: (text, asked = {}) =>
      run(asked, async (given, texts) => {
        const answer = await methods.unary({ text, bigNumber: BIG }, given);
        texts.push(answer.bigNumber === BIG ? answer.text : `${answer.text} ${answer.bigNumber}`);
      }),
    stream: (text, asked = {}, seen = () => {}) =>
      run(asked, async (given, texts) => {
        for await (const one of methods.serverStream({ text }, given)) {
          texts.push(one.text);
          seen(one.text);
        }
      }),
  };
}

function niceClient(baseUrl: string): WebClient {
  const reader = (metadata: Metadata) => (key: string) => {
    const value = metadata.get(key);
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
  };
  return webClient<NiceOptions>({
    methods: createClient(WebDefinition, createChannel(baseUrl, FetchTransport())),
    options({ headers = {}, timeoutMs, signal }, told) {
      const deadline = timeoutMs === undefined ? {} : { "grpc-timeout": `${timeoutMs}m` };
      return {
        metadata: Metadata({ ...mapped(headers, (bytes) => bytes), ...deadline }),
        ...(signal === undefined ? {} : { signal }),
        onHeader(metadata) {
          told.header = reader(metadata);
        },
        onTrailer(metadata) {
          told.trailer = reader(metadata);
        },
      };
    },
    errorOf(thrown) {
      // Aborts have no code.
      const { code = Status.CANCELLED, details } = thrown as { code?: number; details?: string };
      return { code, message: details ?? String(thrown) };
    },
  });
}

function connectClient(transport: Transport): WebClient {
  const reader = (headers: Headers) => (key: string) => {
    const value = headers.get(key) ?? undefined;
    if (value === undefined || !key.endsWith("-bin")) return value;
    return Buffer.from(decodeBinaryHeader(value)).toString("hex");
  };
  return webClient<CallOptions>({
    // Made from descriptors alone, its messages have no types.
    methods: createConnectClient(webService, transport) as object as Methods<CallOptions>,
    options: ({ headers = {}, ...asked }, told) => ({
      ...asked,
      headers: mapped(headers, encodeBinaryHeader),
      onHeader(headers) {
        told.header = reader(headers);
      },
      onTrailer(headers) {
        told.trailer = reader(headers);
      },
    }),
    errorOf(thrown, told) {
      const { code, rawMessage, metadata } = ConnectError.from(thrown);
      told.trailer = reader(metadata);
      return { code, message: rawMessage };
    },
  });
}

/** The clients that pages have: name, the door that they come in by, and one of a host at a URL. */
export const webClients: readonly (readonly [
  name: string,
  door: string,
  at: (baseUrl: string) => WebClient,
])[] = [
  ["nice-grpc-web", "grpc-web", niceClient],
  [
    "connect-web by gRPC-Web",
    "grpc-web",
    (baseUrl) => connectClient(createGrpcWebTransport({ baseUrl })),
  ],
  [
    "connect-web with JSON",
    "connect",
    (baseUrl) => connectClient(createConnectTransport({ baseUrl })),
  ],
  [
    "connect-web with bytes",
    "connect",
    (baseUrl) => connectClient(createConnectTransport({ baseUrl, useBinaryFormat: true })),
  ],
];
