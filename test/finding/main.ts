/**
 * `npm run finding -- [reroute etcd leases replicas journal size poll] [--small] [--seed N]`: what clients and directories hold when
 * the engines that list instances change, stop, lie or die; see `runProofs`. Needs Debian's etcd-server.
 */
import type { Bar } from "../../src/cli/chaos/report.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { type Proof, runProofs } from "../support/run-proofs.js";
import { etcdBars, etcdSizes, runEtcd } from "./etcd.js";
import { journalBars, journalSizes, runJournal } from "./journal.js";
import { leasesBars, leasesSizes, runLeases } from "./leases.js";
import { pollBars, pollSizes, runPoll } from "./poll.js";
import { directoryRegistry, etcdRegistry, kubernetesRegistry } from "./registry.js";
import { replicasBars, replicasSizes, runReplicas } from "./replicas.js";
import { rerouteBars, rerouteSizes, runReroute } from "./reroute.js";
import { runSize, sizeBars, sizeSizes } from "./size.js";

const registries = {
  directory: directoryRegistry,
  etcd: etcdRegistry,
  Kubernetes: kubernetesRegistry,
};

const seedFrom = ({ random }: ProofPorts): number => Math.floor(random() * 1_000_000);

const proofs = {
  reroute: async (size, ports) => {
    const bars: Bar[] = [];
    for (const [engine, open] of Object.entries(registries)) {
      bars.push(...rerouteBars(await runReroute(engine, open, rerouteSizes[size], ports)));
    }
    return bars;
  },
  etcd: async (size, ports) => etcdBars(await runEtcd(etcdSizes[size], ports)),
  leases: async (size, ports) => leasesBars(await runLeases(leasesSizes[size], ports)),
  replicas: async (size, ports) => replicasBars(await runReplicas(replicasSizes[size], ports)),
  journal: async (size, ports) =>
    journalBars(await runJournal({ ...journalSizes[size], seed: seedFrom(ports) })),
  size: async (size, ports) =>
    sizeBars(await runSize({ ...sizeSizes[size], seed: seedFrom(ports) })),
  poll: async (size, ports) => pollBars(await runPoll(pollSizes[size], ports)),
} satisfies Readonly<Record<string, Proof>>;

await runProofs(proofs, process.argv.slice(2));
