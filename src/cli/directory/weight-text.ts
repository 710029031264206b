import type { ListedInstance } from "../../wire/upstream.js";

/** A weight as people read it; those of groups are fractions. */
export function weightText(weight: number): string {
  return String(Number(weight.toPrecision(6)));
}

/** The weight in force, and the registered one where an operator has set another. */
export function listedWeightText({ weight, registeredWeight }: ListedInstance): string {
  const registered =
    registeredWeight === undefined ? "" : ` (registered ${weightText(registeredWeight)})`;
  return weightText(weight) + registered;
}
