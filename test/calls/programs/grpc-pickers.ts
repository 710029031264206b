/**
 * The pickers of grpc-js's own policies, which it does not export: its files are compiled here once more, with what is wanted at
 * their end. Nothing of their code is changed.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { compileFunction } from "node:vm";

const require = createRequire(import.meta.url);
const folder = dirname(require.resolve("@grpc/grpc-js"));

interface GrpcPicker {
  pick(args: object): object;
}

type PickerClass = new (...args: readonly unknown[]) => GrpcPicker;

function classIn(file: string, name: string): PickerClass {
  const filename = join(folder, file);
  const source = `${readFileSync(filename, "utf8")}\nexports.${name} = ${name};`;
  const exports: Record<string, PickerClass> = {};
  compileFunction(source, ["exports", "require"], { filename })(exports, createRequire(filename));
  const found = exports[name];
  if (found === undefined) throw new Error(`no ${name} in ${filename}`);
  return found;
}

/** Over so many connected instances: `pick` as its channel calls it. */
export function grpcPickers(
  weights: readonly number[],
): Readonly<Record<"round_robin" | "weighted_round_robin", () => void>> {
  const First = classIn("load-balancer-pick-first.js", "PickFirstPicker");
  const InTurn = classIn("load-balancer-round-robin.js", "RoundRobinPicker");
  const Weighted = classIn("load-balancer-weighted-round-robin.js", "WeightedRoundRobinPicker");
  const children = weights.map((weight, at) => {
    const subchannel = { getWrappedSubchannel: () => subchannel };
    return { endpointName: `e${at}`, endpoint: {}, weight, picker: new First(subchannel) };
  });
  const inTurn = new InTurn(children);
  const weighted = new Weighted(children, undefined);
  const args = { metadata: {}, extraPickInfo: {} };
  return {
    round_robin: () => void inTurn.pick(args),
    weighted_round_robin: () => void weighted.pick(args),
  };
}
