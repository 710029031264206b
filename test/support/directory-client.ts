import { type RegisterResponse, UpstreamServiceDefinition } from "inferwire/proto";
import { type Client, createChannel, createClientFactory, Metadata } from "nice-grpc";
import { durationFromMs } from "../../src/wire/time.js";

/** What an instance says of itself where the default will not do. */
interface RegisterFields {
  readonly ip?: string;
  readonly port?: number;
  readonly weight?: number;
  readonly ttlMs?: number;
  readonly service?: string;
}

/** A plain nice-grpc client of a directory, nothing of the kit in between. */
export interface DirectoryClient {
  readonly client: Client<typeof UpstreamServiceDefinition>;
  /** Registers 10.0.0.1:80 as an instance of `mnist`. */
  register(name: string, more?: RegisterFields): Promise<RegisterResponse>;
  close(): void;
}

/** Makes a client of the directory at a port of this machine. */
export function createDirectoryClient(port: number, token?: string): DirectoryClient {
  const channel = createChannel(`127.0.0.1:${port}`);
  const metadata = Metadata(token === undefined ? {} : { authorization: token });
  const client = createClientFactory().create(UpstreamServiceDefinition, channel, {
    "*": { metadata },
  });
  return {
    client,
    register(name, more = {}) {
      const { ip = "10.0.0.1", port: instancePort = 80, weight = 100, ttlMs = 10_000 } = more;
      const instance = { name, ip, port: instancePort, weight };
      const ttl = durationFromMs(ttlMs);
      return client.register({ service: more.service ?? "mnist", instance, ttl });
    },
    close: () => channel.close(),
  };
}
