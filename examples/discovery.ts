import { setTimeout as wait } from "node:timers/promises";

const TIMEOUT_MS = 30_000;
const EVERY_MS = 100;

/** Waits until a directory lists so many instances of a service, in the way that EAS's own clients ask. */
export async function listed(directory: string, service: string, count: number): Promise<void> {
  const path = `exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/${service}`;
  for (let waitedMs = 0; waitedMs < TIMEOUT_MS; waitedMs += EVERY_MS) {
    const answer = await fetch(`http://${directory}/${path}`);
    const list = (await answer.json()) as { readonly endpoints?: { readonly items: unknown[] } };
    if (list.endpoints?.items.length === count) return;
    await wait(EVERY_MS);
  }
  throw new Error(`${directory} does not list ${count} instances of ${service}`);
}
