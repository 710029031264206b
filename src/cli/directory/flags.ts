import type { Command } from "commander";
import { directoryDefaults } from "../../directory/directory-options.js";
import { hostDefaults } from "../../host/host-options.js";

/** Flags of `directory`, named as the options they give. */
export interface DirectoryFlags {
  readonly endpoint?: string;
  readonly store?: string;
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
    .option("--store <kind>", `where it keeps what it knows (default: ${store})`)
    .option("--read-token <text>", "token that reading wants")
    .option("--reduce-weights", "publish weights over their greatest common divisor")
    .option("--tls-cert-file <path>", "certificate chain of the port, PEM")
    .option("--tls-key-file <path>", "key of the certificate, PEM")
    .option("--log-level <level>", `least level of lines (default: ${hostDefaults.logLevel})`);
}
