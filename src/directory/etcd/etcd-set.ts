import { deleteOp, putOp, type RequestOp } from "../../wire/etcd.js";
import type { TrafficSetting, WeightSetting } from "../../wire/upstream-registration.js";
import { fullError } from "../table-bounds.js";
import {
  type ChangeBasis,
  changeEtcd,
  changeInstance,
  type EtcdWriting,
  OWN_WRITE_MS,
} from "./etcd-change.js";
import { etcdKeyText } from "./etcd-keys.js";
import { type EtcdRegistration, registrationValue } from "./etcd-registration.js";
import { sharesValue, weightValue } from "./etcd-settings.js";

/** Sets or takes back an operator's weight, and writes it where those look who read etcd themselves, in one step. */
export async function setWeightInEtcd(writing: EtcdWriting, setting: WeightSetting): Promise<void> {
  const { prefix, table } = writing;
  const { service, instance: name, weight } = setting;
  const weightKey = etcdKeyText(prefix, { kind: "weight", service, name });
  const instanceKey = etcdKeyText(prefix, { kind: "instance", service, name });

  /** What others have written is left as it is: directories know the weight anyway. */
  function rewritten(held: EtcdRegistration | undefined): readonly RequestOp[] {
    if (held === undefined || held.holderHash === "") return [];
    const inForce = weight ?? held.instance.weight;
    if (held.weight === inForce) return [];
    return [putOp(instanceKey, registrationValue({ ...held, weight: inForce }), held.lease)];
  }

  await changeInstance(writing, { service, name }, async (basis) => {
    table.checkWeight(setting);
    const changes = [...rewritten(basis.held)];
    if (weight === undefined && basis.weight !== undefined) changes.push(deleteOp(weightKey));
    if (weight !== undefined && basis.weight !== weight) {
      if (basis.weight === undefined) checkWeightRoom(writing);
      changes.push(putOp(weightKey, weightValue(weight)));
    }
    return { changes, outcome: undefined };
  });
}

/** Weights outlive what they were set for, and directories, so that there is no other end to them. */
function checkWeightRoom({ mirror, bounds }: EtcdWriting): void {
  const { maxInstances } = bounds;
  if (mirror.count("weight") >= maxInstances) throw fullError(`${maxInstances} operators' weights`);
}

/** Sets the traffic shares of a group, all at once. */
export async function setTrafficInEtcd(
  writing: EtcdWriting,
  setting: TrafficSetting,
): Promise<void> {
  const { prefix, mirror, table } = writing;
  const { group, shares } = setting;
  const trafficKey = etcdKeyText(prefix, { kind: "traffic", group });
  // Written when an instance first registers: who does that at this moment is not made a group.
  const knownKey = etcdKeyText(prefix, { kind: "known", service: group });
  const keys = [trafficKey, knownKey];
  await changeEtcd<ChangeBasis, void>(writing, {
    keys,
    first: { revisions: new Map(keys.map((key) => [key, mirror.revisionOf(key)])) },
    again: (revisions) => ({ revisions }),
    plan: async ({ revisions }) => {
      // What others have set since the last round is what the table has to be asked about.
      const newest = revisions.get(trafficKey) ?? 0n;
      await mirror.until(() => mirror.revisionOf(trafficKey) >= newest, OWN_WRITE_MS);
      table.checkTraffic(setting);
      return { changes: [putOp(trafficKey, sharesValue(shares))], outcome: undefined };
    },
  });
}
