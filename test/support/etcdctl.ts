import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { debianTool } from "./debian-tool.js";

const run = promisify(execFile);

/** Debian's etcdctl. */
export const etcdctlTool: ReturnType<typeof debianTool> = debianTool("etcdctl", "etcd-client");

/** Runs etcdctl on an etcd, and gives what it prints. */
export async function etcdctl(address: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(etcdctlTool.required(), ["--endpoints", address, ...args], {
    env: { ...process.env, ETCDCTL_API: "3" },
  });
  return stdout;
}
