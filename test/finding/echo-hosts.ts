import { BaseProcessor, type HostOptions, type ProcessorHost, startHost } from "inferwire/host";
import { silentLogger } from "../../src/core/ports.js";

class Echo extends BaseProcessor {
  override process(data: Uint8Array): Uint8Array {
    return data;
  }
}

/** Hosts of this process, at ports of their own. */
export interface EchoHosts extends AsyncDisposable {
  /** `127.0.0.1:PORT` of each. */
  readonly keys: readonly string[];
}

/** Starts so many hosts that answer what they are sent; nobody lists them unless the options of the n-th say where it registers. */
export async function startEchoHosts(
  count: number,
  optionsOf: (n: number) => HostOptions = () => ({}),
): Promise<EchoHosts> {
  const hosts: ProcessorHost[] = [];
  for (let n = 0; n < count; n++) {
    const options = { endpoint: "127.0.0.1:0", logger: silentLogger, ...optionsOf(n) };
    hosts.push(await startHost(new Echo(), options));
  }
  return {
    keys: hosts.map(({ address }) => `${address.host}:${address.port}`),
    async [Symbol.asyncDispose]() {
      await Promise.all(hosts.map((host) => host.close({ gracePeriodMs: 0 })));
    },
  };
}
