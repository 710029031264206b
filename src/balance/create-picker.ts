import { createLeastRequests } from "./least-requests.js";
import { createPeakEwma } from "./peak-ewma.js";
import type { Picker, PickerPorts, Weighted } from "./picker.js";
import { createWeightedRoundRobin } from "./weighted-round-robin.js";

/** How an instance is chosen for an attempt. */
export const balanceNames = ["weighted-round-robin", "least-requests", "peak-ewma"] as const;

/** One of {@link balanceNames}. */
export type BalanceName = (typeof balanceNames)[number];

/** Makes the picker of a name. */
export function createPicker<T extends Weighted>(name: BalanceName, ports: PickerPorts): Picker<T> {
  switch (name) {
    case "weighted-round-robin":
      return createWeightedRoundRobin<T>({ random: ports.random });
    case "least-requests":
      return createLeastRequests<T>(ports);
    case "peak-ewma":
      return createPeakEwma<T>(ports);
  }
}
