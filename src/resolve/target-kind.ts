import type { Endpoint } from "../core/endpoint.js";
import type { Instance } from "../core/instance.js";

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

/** How the instances of a service are found. */
export type Target = StaticTarget | DirectoryTarget | HttpTarget;
