/** An object of the API as it goes over the wire. */
export interface ApiObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [member: string]: unknown;
}

/** An EndpointSlice as a test gives it; what the server adds is added. */
export interface GivenSlice {
  readonly name: string;
  readonly namespace?: string;
  /** Of the service; null for none. */
  readonly service?: string | null;
  readonly addressType?: string;
  readonly endpoints?: unknown;
  readonly ports?: unknown;
}

/** One change of the store. */
export interface StoreChange {
  readonly revision: number;
  /** As it was before; undefined when it is new. */
  readonly before: ApiObject | undefined;
  /** As it is now; undefined when it is gone, with the version of its end. */
  readonly after: ApiObject | undefined;
  /** What is sent of one that is gone. */
  readonly object: ApiObject;
}

/** EndpointSlices with one growing version for all, and a history that ends somewhere, as etcd below an API server has. */
export class KubernetesStore {
  /** History is kept for so many changes. */
  historyLength = 1_000;
  #revision = 100;
  #oldest = 100;
  readonly #objects = new Map<string, ApiObject>();
  #history: StoreChange[] = [];
  readonly #watchers = new Set<(change: StoreChange) => void>();

  get revision(): number {
    return this.#revision;
  }

  /** The oldest version that a watch or a list can go on from. */
  get oldest(): number {
    return this.#oldest;
  }

  /** In order of namespace and name. */
  objects(): readonly ApiObject[] {
    return [...this.#objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  put(given: GivenSlice): void {
    const { name, namespace = "ns", service = "mnist", ...rest } = given;
    const key = `${namespace}/${name}`;
    this.#change(key, (resourceVersion) => ({
      metadata: {
        name,
        namespace,
        generateName: `${service ?? "x"}-`,
        uid: `00000000-0000-0000-0000-${resourceVersion.padStart(12, "0")}`,
        resourceVersion,
        creationTimestamp: "2026-01-01T00:00:00Z",
        labels: {
          "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
          ...(service === null ? {} : { "kubernetes.io/service-name": service }),
        },
        // Characters of two, three and four bytes, for chunks to be cut in.
        annotations: { note: "käse €5 \u{1f600}" },
      },
      addressType: "IPv4",
      endpoints: [],
      ports: null,
      ...rest,
    }));
  }

  delete(name: string, namespace = "ns"): void {
    const key = `${namespace}/${name}`;
    if (this.#objects.has(key)) this.#change(key, undefined);
  }

  /** A version passes for something that nobody here watches. */
  pass(): void {
    this.#revision += 1;
  }

  /** Forgets its history: only the present version can be gone on from. */
  compact(): void {
    this.#history = [];
    this.#oldest = this.#revision;
  }

  /** Changes after a version, then those to come until taken back; the version must not be older than the oldest. */
  follow(since: number, onChange: (change: StoreChange) => void): () => void {
    for (const change of this.#history) if (change.revision > since) onChange(change);
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }

  #change(key: string, make: ((version: string) => ApiObject) | undefined): void {
    this.#revision += 1;
    const before = this.#objects.get(key);
    const after = make?.(String(this.#revision));
    const object = after ?? before;
    if (object === undefined) return;
    const metadata = { ...object.metadata, resourceVersion: String(this.#revision) };
    if (after === undefined) this.#objects.delete(key);
    else this.#objects.set(key, after);
    const change = { revision: this.#revision, before, after, object: { ...object, metadata } };
    this.#history.push(change);
    while (this.#history.length > this.historyLength) {
      this.#oldest = this.#history.shift()?.revision ?? this.#oldest;
    }
    for (const watcher of [...this.#watchers]) watcher(change);
  }
}
