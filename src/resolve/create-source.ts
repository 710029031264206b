import { createDirectorySource } from "./directory-source.js";
import { createDnsSource } from "./dns/dns-source.js";
import { createEtcdSource } from "./etcd/etcd-source.js";
import { createFileSource } from "./file-source.js";
import { createHttpSource } from "./http-source.js";
import { createKubernetesSource } from "./kubernetes/kubernetes-source.js";
import type { Source } from "./source.js";
import type { SourceOptions } from "./source-options.js";
import { createStaticSource } from "./static-source.js";
import type { Target } from "./target/target.js";

/** Makes the source that a target asks for; nothing happens before it is started. */
export function createSource(target: Target, options: SourceOptions): Source {
  switch (target.kind) {
    case "static":
      return createStaticSource(target, options);
    case "http":
      return createHttpSource(target, options);
    case "directory":
      return createDirectorySource(target, options);
    case "etcd":
      return createEtcdSource(target, options);
    case "file":
      return createFileSource(target, options);
    case "dns":
    case "srv":
      return createDnsSource(target, options);
    case "kubernetes":
      return createKubernetesSource(target, options);
  }
}
