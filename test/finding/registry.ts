import { startDirectory } from "inferwire/directory";
import { silentLogger } from "../../src/core/ports.js";
import { createDirectoryClient } from "../support/directory-client.js";
import { type EtcdApi, etcdApi } from "../support/etcd-api.js";
import { startEtcd } from "../support/etcd-server.js";
import { sliceOf, startFakeKubernetes } from "../support/fake-kubernetes.js";

/** What lists instances: changes are made here, and a client finds out. Each resolves when the engine has acknowledged it. */
export interface Registry extends AsyncDisposable {
  /** Where clients look. */
  readonly target: string;
  /** Lists an instance with the weight 100. */
  join(key: string): Promise<void>;
  /** Gives one that is listed another weight; absent where there are none. */
  weigh?(key: string, weight: number): Promise<void>;
  /** Takes one from the list. */
  leave(key: string): Promise<void>;
}

const SERVICE = "echo";
/** Longer than a run: nobody renews. */
const TTL_MS = 300_000;

/** A directory that keeps what it knows in memory. */
export async function directoryRegistry(): Promise<Registry> {
  const directory = await startDirectory({ endpoint: "127.0.0.1:0", logger: silentLogger });
  const { port } = directory.address;
  const { client, register, close } = createDirectoryClient(port);
  const leases = new Map<string, string>();
  return {
    target: `directory://127.0.0.1:${port}/${SERVICE}`,
    async join(key) {
      const { leaseId } = await register(key, {
        ip: "127.0.0.1",
        port: portOf(key),
        ttlMs: TTL_MS,
        service: SERVICE,
      });
      leases.set(key, leaseId);
      // One that was listed before keeps the weight that it was given then.
      await client.setWeight({ service: SERVICE, instance: key, weight: 100 });
    },
    async weigh(key, weight) {
      await client.setWeight({ service: SERVICE, instance: key, weight });
    },
    async leave(key) {
      await client.deregister({ leaseId: leases.get(key) ?? "" });
    },
    async [Symbol.asyncDispose]() {
      close();
      await directory.close();
    },
  };
}

/** An etcd of its own. */
export async function etcdRegistry(): Promise<Registry> {
  const etcd = await startEtcd();
  const service = new EtcdService(etcdApi(etcd.address));
  return {
    target: `etcd://${etcd.address}/${EtcdService.path}`,
    join: (key) => service.list(key, 100),
    weigh: (key, weight) => service.list(key, weight),
    leave: (key) => service.drop(key),
    [Symbol.asyncDispose]: () => etcd[Symbol.asyncDispose](),
  };
}

/** An API server's stand-in, with a slice for each instance. */
export async function kubernetesRegistry(): Promise<Registry> {
  const kubernetes = await startFakeKubernetes();
  const { store, port } = kubernetes;
  const sliceName = (key: string): string => `${SERVICE}-${portOf(key)}`;
  return {
    target: `kubernetes://127.0.0.1:${port}/ns/mnist:grpc`,
    async join(key) {
      store.put(sliceOf(sliceName(key), ["127.0.0.1"], { port: portOf(key) }));
    },
    async leave(key) {
      store.delete(sliceName(key));
    },
    [Symbol.asyncDispose]: () => kubernetes[Symbol.asyncDispose](),
  };
}

/** The instances of one service in etcd, as its own naming convention has them. */
export class EtcdService {
  /** What targets have behind the members. */
  static readonly path: string = `services/${SERVICE}`;
  readonly #api: EtcdApi;
  /** Of the last change. */
  revision: bigint = 0n;

  constructor(api: EtcdApi) {
    this.#api = api;
  }

  async list(key: string, weight: number): Promise<void> {
    const value = JSON.stringify({ Op: 0, Addr: key, Metadata: { weight } });
    this.revision = await this.#api.put(`${EtcdService.path}/${key}`, value);
  }

  async drop(key: string): Promise<void> {
    this.revision = await this.#api.remove(`${EtcdService.path}/${key}`);
  }

  /** Forgets every change but the last one. */
  async forget(): Promise<void> {
    await this.#api.compact(this.revision);
  }
}

const portOf = (key: string): number => Number(key.slice(key.lastIndexOf(":") + 1));
