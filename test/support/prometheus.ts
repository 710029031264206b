/** A page in Prometheus's text format, read strictly. */
export interface PrometheusPage {
  /** Type and help of every family, in order. */
  readonly families: ReadonlyMap<string, { readonly type: string; readonly help: string }>;
  /** The value of the sample with exactly these labels, in any order. */
  value(name: string, labels: Readonly<Record<string, string>>): number | undefined;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABELS = /^(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,(?!$)|$))*$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/** Reads a page; throws at whatever is not of the format, at samples outside their family, and at repeated ones. */
export function parsePrometheus(text: string): PrometheusPage {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, { type: string; help: string }>();
  const samples = new Map<string, number>();
  let family = "";
  let help = "";
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === "HELP") {
      family = name;
      help = rest;
    } else if (kind === "TYPE") {
      if (name !== family || families.has(name)) throw new Error(`misplaced: ${line}`);
      families.set(name, { type: rest, help });
    } else {
      addSample(line, family, families.get(family)?.type, samples);
    }
  }
  return { families, value: (name, labels) => samples.get(keyOf(name, Object.entries(labels))) };
}

function addSample(
  line: string,
  family: string,
  type: string | undefined,
  samples: Map<string, number>,
): void {
  const [, name = "", labels = "", value = ""] = SAMPLE.exec(line) ?? [];
  const own = type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (!own.some((ending) => name === family + ending) || !LABELS.test(labels)) {
    throw new Error(`not a sample of ${family}: ${line}`);
  }
  const number = Number(value);
  if (Number.isNaN(number)) throw new Error(`not a number: ${line}`);
  const key = keyOf(
    name,
    [...labels.matchAll(LABEL)].map(([, n = "", v = ""]) => [n, v]),
  );
  if (samples.has(key)) throw new Error(`repeated: ${line}`);
  samples.set(key, number);
}

function keyOf(name: string, labels: readonly (readonly [string, string])[]): string {
  return `${name} ${JSON.stringify(labels.toSorted(([a], [b]) => a.localeCompare(b)))}`;
}
