import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianTool } from "./debian-tool.js";
import { endProcess } from "./end-process.js";
import { freePort } from "./free-port.js";
import { until } from "./until.js";

/** Debian's etcd. */
export const etcdTool: ReturnType<typeof debianTool> = debianTool("etcd", "etcd-server");

/** Of what etcd says, in characters. */
const MAX_SAID = 2_000;

const MAX_TRIES = 3;

/** An etcd of one member that runs, its data in a folder of its own. */
export interface EtcdServer extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** Sends a signal: SIGKILL, SIGSTOP, SIGCONT ... */
  signal(signal: NodeJS.Signals): void;
  /** Ends it by SIGKILL, and waits until it is gone; its data stay. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data, and waits until it answers. */
  start(): Promise<void>;
}

/**
 * Starts an etcd, and waits until it answers; removes its data when it is disposed of.
 *
 * @param extra - flags that win over the usual ones
 * @param givenPort - where it answers over plain HTTP; a free one unless the flags need to know it
 */
export async function startEtcd(
  extra: readonly string[] = [],
  givenPort?: number,
): Promise<EtcdServer> {
  const folder = mkdtempSync(join(tmpdir(), "inferwire-etcd-"));
  let [port, peerPort] = await freePorts();
  let address = `127.0.0.1:${port}`;
  let child: ChildProcess | undefined;

  async function freePorts(): Promise<[port: number, peerPort: number]> {
    return [givenPort ?? (await freePort()), await freePort()];
  }

  async function start(): Promise<void> {
    const clients = `http://${address}`;
    const peers = `http://127.0.0.1:${peerPort}`;
    const args = ["--name", "one", "--data-dir", join(folder, "data"), "--log-level", "error"];
    args.push("--listen-client-urls", clients, "--advertise-client-urls", clients);
    args.push("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers);
    args.push("--initial-cluster", `one=${peers}`, ...extra);
    const started = spawn(etcdTool.required(), args, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch },
    });
    child = started;
    let said = "";
    started.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-MAX_SAID);
    });
    await until(async () => {
      if (started.exitCode !== null)
        throw new Error(`etcd ended with ${started.exitCode}: ${said}`);
      return await healthy(port);
    }, 30_000);
  }

  /** A port that was free may have been taken before etcd could: then others are tried. */
  async function startSomewhere(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await start();
      } catch (error) {
        await kill();
        if (tries === MAX_TRIES || !String(error).includes("address already in use")) throw error;
        [port, peerPort] = await freePorts();
        address = `127.0.0.1:${port}`;
      }
    }
  }

  const kill = (): Promise<void> => endProcess(child, "SIGKILL");

  await startSomewhere();
  return {
    port,
    address,
    signal: (signal) => void child?.kill(signal),
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function healthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request({ port, host: "127.0.0.1", path: "/health", timeout: 1_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    sent.on("timeout", () => sent.destroy());
    sent.on("error", () => resolve(false));
    sent.end();
  });
}
