import { type ChildProcess, spawn } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianTool } from "./debian-tool.js";
import { endProcess } from "./end-process.js";
import { freePort } from "./free-port.js";
import { until } from "./until.js";

/** Debian's dnsmasq. */
export const dnsmasqTool: ReturnType<typeof debianTool> = debianTool("dnsmasq", "dnsmasq-base");

/** A dnsmasq that answers for names below `test`. */
export interface Dnsmasq extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** Lists addresses, lines as in /etc/hosts, instead of those before. */
  hosts(lines: readonly string[]): void;
  /** Ends it, and waits until it is gone. */
  stop(): Promise<void>;
  /** Starts it again on the same port, and waits until it answers. */
  start(): Promise<void>;
}

/** A name that every one of them knows. */
const READY = "ready.test";

/** Starts a dnsmasq with these arguments besides, and waits until it answers; times to live are 1 s. */
export async function startDnsmasq(extra: readonly string[] = []): Promise<Dnsmasq> {
  const folder = mkdtempSync(join(tmpdir(), "inferwire-dns-"));
  // Started by root it gives its rights up, and must read the file nevertheless.
  chmodSync(folder, 0o755);
  const hostsFile = join(folder, "hosts");
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  let child: ChildProcess | undefined;

  const args = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"];
  args.push(`--port=${port}`, "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file=");
  args.push("--log-facility=-", "--local=/test/", "--local-ttl=1", `--addn-hosts=${hostsFile}`);
  args.push(`--host-record=${READY},10.0.0.1`, ...extra);

  async function start(): Promise<void> {
    child = spawn(dnsmasqTool.required(), args, { stdio: "ignore" });
    const resolver = new Resolver({ timeout: 200, tries: 1 });
    resolver.setServers([address]);
    await until(() =>
      resolver.resolve4(READY).then(
        () => true,
        () => false,
      ),
    );
  }

  const stop = (): Promise<void> => endProcess(child, "SIGTERM");

  writeFileSync(hostsFile, "");
  await start();
  return {
    address,
    hosts(lines) {
      writeFileSync(hostsFile, `${lines.join("\n")}\n`);
      child?.kill("SIGHUP");
    },
    stop,
    start,
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
