import type { Endpoint } from "../../core/endpoint.js";
import type { Instance } from "../../core/instance.js";

/** A fixed list of instances. */
export interface StaticTarget {
  readonly kind: "static";
  /** As it was given. */
  readonly text: string;
  /** The addresses, as they were given. */
  readonly service: string;
  readonly instances: readonly Instance[];
}

/** A service as directories of the kit list it. */
export interface DirectoryTarget {
  readonly kind: "directory";
  readonly text: string;
  readonly service: string;
  /** Any of them will do. */
  readonly directories: readonly Endpoint[];
}

/** A service as addresses with EAS's discovery JSON list it. */
export interface HttpTarget {
  readonly kind: "http";
  readonly text: string;
  readonly service: string;
  /** Any of them will do; of each the addresses that it may answer at, all but one with 404. */
  readonly directories: readonly (readonly string[])[];
}

/** A domain of VIPServer, Alibaba's own discovery. */
export interface VipserverTarget {
  readonly kind: "vipserver";
  readonly domain: string;
  /** `host:port` of what knows VIPServer's servers. */
  readonly serverList: string;
}

/** A file with EAS's discovery JSON. */
export interface FileTarget {
  readonly kind: "file";
  readonly text: string;
  /** The file's name without folder and `.json`. */
  readonly service: string;
  /** Absolute. */
  readonly path: string;
}

/** A name in DNS. */
export interface DnsTarget {
  /** `dns`: addresses (A, AAAA); `srv`: SRV records, and the addresses of their targets. */
  readonly kind: "dns" | "srv";
  readonly text: string;
  /** The name, as it was given. */
  readonly service: string;
  readonly name: string;
  /** Of `dns`, the port of every address. */
  readonly port?: number;
  /** Servers to ask; none: those of the system. */
  readonly servers: readonly Endpoint[];
}

/** A service as keys below a prefix in etcd. */
export interface EtcdTarget {
  readonly kind: "etcd";
  readonly text: string;
  /** The last part of the prefix. */
  readonly service: string;
  /** Any of them will do. */
  readonly members: readonly Endpoint[];
  /** What the keys begin with, `/` at the end included. */
  readonly prefix: string;
}

/** A service of Kubernetes. */
export interface KubernetesTarget {
  readonly kind: "kubernetes";
  readonly text: string;
  /** `NAMESPACE/SERVICE`. */
  readonly service: string;
  readonly namespace: string;
  readonly name: string;
  /** Number or name of the port, as the service's slices list it. */
  readonly port: number | string;
  /** The API server; undefined: that of the cluster that this process runs in. */
  readonly server?: Endpoint;
}

/** How the instances of a service are found. */
export type Target =
  | StaticTarget
  | DirectoryTarget
  | HttpTarget
  | FileTarget
  | DnsTarget
  | EtcdTarget
  | KubernetesTarget;
