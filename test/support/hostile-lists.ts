/** An item of a list, in the words of EAS's JSON; nothing in it can be trusted. */
export interface HostileItem {
  readonly ip?: unknown;
  readonly port?: unknown;
  readonly weight?: unknown;
  readonly name?: unknown;
  readonly app?: unknown;
}

/** A list that somebody sends who means no good, or does not know what he does. */
export interface HostileList {
  readonly name: string;
  readonly items: readonly HostileItem[];
  /** `host:port=weight` of those that can be used, ascending; undefined when the list must be refused as a whole. */
  readonly listed: readonly string[] | undefined;
  readonly rejected: number;
}

const good: HostileItem = { ip: "10.0.0.1", port: 80, weight: 50 };
const goodListed = ["10.0.0.1:80=50"];

/** One good item beside one that must be left out. */
function left(name: string, item: HostileItem): HostileList {
  return { name, items: [item, good], listed: goodListed, rejected: 1 };
}

/** One good item beside one whose decoration must be ignored. */
function ignored(name: string, item: HostileItem): HostileList {
  return { name, items: [{ ...good, ...item }], listed: goodListed, rejected: 0 };
}

const tenThousand = Array.from({ length: 10_000 }, (_, index) => index);

/** Lists that every source must take alike, whatever brings them; engines that have no such field leave a case out. */
export const hostileLists: readonly HostileList[] = [
  {
    name: "the same address three times",
    items: [good, { ...good, weight: 70 }, { ...good, weight: 1 }],
    listed: ["10.0.0.1:80=70"],
    rejected: 0,
  },
  {
    name: "one address ten thousand times",
    items: tenThousand.map(() => good),
    listed: goodListed,
    rejected: 0,
  },
  {
    name: "ten thousand items of nonsense and a good one",
    items: [...tenThousand.map((port) => ({ ip: "nowhere", port })), good],
    listed: goodListed,
    rejected: 10_000,
  },
  { name: "nothing but nonsense", items: [{ ip: "x" }, {}], listed: undefined, rejected: 2 },
  left("a host name for an address", { ...good, ip: "localhost" }),
  left("an address with a command behind", { ...good, ip: "10.0.0.2; reboot" }),
  left("an address with a port in it", { ...good, ip: "10.0.0.2:1" }),
  left("an address of one number", { ...good, ip: 167_772_161 }),
  left("no address", { port: 80 }),
  left("a list for an address", { ...good, ip: ["10.0.0.2"] }),
  left("port 0", { ...good, port: 0 }),
  left("port 65536", { ...good, port: 65_536 }),
  left("a port that is no integer", { ...good, port: 80.5 }),
  left("a port in words", { ...good, port: "80" }),
  left("a weight below 0", { ...good, weight: -1 }),
  left("a weight beyond every bound", { ...good, weight: 1e308 }),
  left("a weight that is all but 0", { ...good, weight: 1e-300 }),
  left("a weight in words", { ...good, weight: "100" }),
  left("an object for a weight", { ...good, weight: { valueOf: 1 } }),
  ignored("a name with a line end", { name: "a\nlevel=fatal" }),
  ignored("a name of 100,000 letters", { name: "x".repeat(100_000) }),
  ignored("a number for a name", { name: 7 }),
  ignored("an app of 100,000 letters", { app: "x".repeat(100_000) }),
];
