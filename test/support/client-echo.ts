import { setTimeout as sleep } from "node:timers/promises";
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from "@grpc/grpc-js";
import type { MethodDefinition } from "nice-grpc";

/** What all methods of the echo service take and give. */
export interface Echo {
  readonly text: string;
}

interface EchoMethod<Q extends boolean, A extends boolean>
  extends MethodDefinition<Echo, Echo, Echo, Echo, Q, A> {
  requestSerialize(value: Echo): Buffer;
  responseSerialize(value: Echo): Buffer;
}

function echoMethod<Q extends boolean, A extends boolean>(
  name: string,
  requestStream: Q,
  responseStream: A,
  options: EchoMethod<Q, A>["options"] = {},
): EchoMethod<Q, A> {
  const encode = ({ text }: Echo): Buffer => Buffer.from(text, "utf8");
  const decode = (bytes: Uint8Array): Echo => {
    const text = Buffer.from(bytes).toString("utf8");
    if (text === "undecodable") throw new Error("cannot read this");
    return { text };
  };
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    options,
    requestSerialize: encode,
    requestDeserialize: decode,
    responseSerialize: encode,
    responseDeserialize: decode,
  };
}

/** One method of each kind over texts, so that tests need no generated code; `pure` is idempotent. */
export const EchoDefinition: {
  readonly unary: EchoMethod<false, false>;
  readonly pure: EchoMethod<false, false>;
  readonly serverStream: EchoMethod<false, true>;
  readonly clientStream: EchoMethod<true, false>;
  readonly bidi: EchoMethod<true, true>;
} = {
  unary: echoMethod("Unary", false, false),
  pure: echoMethod("Pure", false, false, { idempotencyLevel: "NO_SIDE_EFFECTS" }),
  serverStream: echoMethod("ServerStream", false, true),
  clientStream: echoMethod("ClientStream", true, false),
  bidi: echoMethod("Bidi", true, true),
};

/** What an echo server has seen of a call. */
export interface SeenCall {
  readonly path: string;
  /** Milliseconds that the call had left when it arrived. */
  readonly remainingMs: number;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A grpc-js server on the loopback. */
export interface EchoServer extends AsyncDisposable {
  readonly port: number;
  readonly seen: readonly SeenCall[];
  /** Breaks every connection and listens no more. */
  kill(): void;
}

type AnyCall =
  | ServerUnaryCall<Echo, Echo>
  | ServerWritableStream<Echo, Echo>
  | ServerReadableStream<Echo, Echo>
  | ServerDuplexStream<Echo, Echo>;

function failure(code: string, reason: string | undefined, pushback: string | undefined) {
  const metadata = new Metadata();
  if (reason) metadata.set("inferwire-reason", reason);
  if (pushback) metadata.set("grpc-retry-pushback-ms", pushback);
  return Object.assign(new Error("as told"), {
    code: Number(code),
    details: "as told",
    metadata,
  });
}

/** Does what the text says: `sleep MS`, `fail CODE [REASON [PUSHBACK]]`, else echoes it. */
async function answer(text: string): Promise<string> {
  const [verb, first = "", second, third] = text.split(" ");
  if (verb === "sleep") await sleep(Number(first));
  if (verb === "fail") throw failure(first, second, third);
  return text;
}

/** Starts a server that answers as {@link answer} says, with its name in front when it has one. */
export async function startEcho(
  options: { port?: number; credentials?: ServerCredentials; name?: string } = {},
): Promise<EchoServer> {
  const { name, port = 0, credentials = ServerCredentials.createInsecure() } = options;
  const seen: SeenCall[] = [];
  const prefix = name === undefined ? "" : `${name}: `;
  const note = (call: AnyCall): void => {
    const deadline = Number(call.getDeadline());
    const remainingMs = deadline - Date.now();
    seen.push({ path: call.getPath(), remainingMs, metadata: call.metadata.getMap() });
  };
  const echo = async ({ text }: Echo): Promise<Echo> => ({ text: prefix + (await answer(text)) });
  const unary = (call: ServerUnaryCall<Echo, Echo>, done: sendUnaryData<Echo>): void => {
    note(call);
    echo(call.request).then((answered) => done(null, answered), done);
  };
  const server = new Server();
  server.addService(EchoDefinition, {
    unary,
    pure: unary,
    async serverStream(call: ServerWritableStream<Echo, Echo>) {
      note(call);
      try {
        for (const text of call.request.text.split(",")) call.write(await echo({ text }));
        call.end();
      } catch (error) {
        call.emit("error", error);
      }
    },
    async clientStream(call: ServerReadableStream<Echo, Echo>, done: sendUnaryData<Echo>) {
      note(call);
      try {
        const parts: string[] = [];
        for await (const part of call) parts.push((await echo(part)).text);
        done(null, { text: parts.join(",") });
      } catch (error) {
        done(error instanceof Error ? error : null);
      }
    },
    async bidi(call: ServerDuplexStream<Echo, Echo>) {
      note(call);
      try {
        // Iterating over the call itself would destroy it, writing half included, at the end of the request.
        for await (const part of call.iterator({ destroyOnReturn: false })) {
          call.write(await echo(part));
        }
        call.end();
      } catch (error) {
        call.emit("error", error);
      }
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, free) => {
      if (error === null) resolve(free);
      else reject(error);
    });
  });
  return {
    port: bound,
    seen,
    kill: () => server.forceShutdown(),
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
}
