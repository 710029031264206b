/** Writes to etcd, as others than the kit do: over its gateway for JSON. */
export interface EtcdApi {
  /** Gives the revision that it made. */
  put(key: string, value: string): Promise<bigint>;
  /** Gives the revision that it made. */
  remove(key: string): Promise<bigint>;
  /** Forgets all history before a revision. */
  compact(revision: bigint): Promise<void>;
}

interface Answer {
  readonly header?: { readonly revision?: string };
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Makes one for a member at `host:port`. */
export function etcdApi(address: string): EtcdApi {
  async function ask(path: string, body: object): Promise<bigint> {
    const response = await fetch(`http://${address}/v3/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    if (!response.ok) {
      throw new Error(`etcd answered ${path} with ${response.status}: ${await response.text()}`);
    }
    const { header } = (await response.json()) as Answer;
    return BigInt(header?.revision ?? 0);
  }
  return {
    put: (key, value) => ask("kv/put", { key: base64(key), value: base64(value) }),
    remove: (key) => ask("kv/deleterange", { key: base64(key) }),
    async compact(revision) {
      await ask("kv/compaction", { revision: String(revision), physical: true });
    },
  };
}
