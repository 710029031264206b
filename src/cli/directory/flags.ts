import type { Command } from "commander";
import { directoryDefaults } from "../../directory/directory-options.js";
import { hostDefaults } from "../../host/host-options.js";
import { BeginningsFlag } from "../flag-values.js";

/** Flags of `directory`, named as the options they give. */
export interface DirectoryFlags {
  readonly endpoint?: string;
  readonly store?: string;
  readonly storeTlsCaFile?: string;
  readonly storeTlsCertFile?: string;
  readonly storeTlsKeyFile?: string;
  readonly storeTlsServerName?: string;
  readonly readToken?: string;
  readonly reduceWeights?: boolean;
  readonly tlsCertFile?: string;
  readonly tlsKeyFile?: string;
  readonly logLevel?: string;
}

/** Adds the flags of `directory`. */
export function configureDirectoryFlags(command: Command): void {
  const { endpoint, store } = directoryDefaults;
  command
    .option("--endpoint <address>", `what to bind: host:port or :port (default: ${endpoint})`)
    .addOption(
      new BeginningsFlag(
        "--store <where>",
        `where it keeps what it knows: memory, file:PATH, or etcd://HOST:PORT[,HOST:PORT]/PREFIX, of etcd without users by password (default: ${store})`,
        ["memory", "file:", "etcd://"],
      ),
    )
    .option("--store-tls-ca-file <path>", "authorities to trust for etcd, PEM; implies TLS to it")
    .option("--store-tls-cert-file <path>", "certificate to show to etcd, PEM; implies TLS to it")
    .option("--store-tls-key-file <path>", "key of that certificate, PEM")
    .option(
      "--store-tls-server-name <name>",
      "name that etcd's certificate must carry; implies TLS to it",
    )
    .option("--read-token <text>", "token that reading wants")
    .option("--reduce-weights", "publish weights over their greatest common divisor")
    .option("--tls-cert-file <path>", "certificate chain of the port, PEM")
    .option("--tls-key-file <path>", "key of the certificate, PEM")
    .option("--log-level <level>", `least level of lines (default: ${hostDefaults.logLevel})`);
}
