type Labels = Readonly<Record<string, string>>;
type Matches = (labels: Labels) => boolean;

const KEY = "[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?";
const VALUE = "(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)?";

const forms: readonly (readonly [RegExp, (key: string, value: string) => Matches])[] = [
  [
    new RegExp(`^(${KEY})\\s*={1,2}\\s*(${VALUE})$`),
    (key, value) => (labels) => labels[key] === value,
  ],
  [new RegExp(`^(${KEY})\\s*!=\\s*(${VALUE})$`), (key, value) => (labels) => labels[key] !== value],
  [new RegExp(`^(${KEY})$`), (key) => (labels) => Object.hasOwn(labels, key)],
  [new RegExp(`^!\\s*(${KEY})$`), (key) => (labels) => !Object.hasOwn(labels, key)],
  [
    new RegExp(`^(${KEY})\\s+in\\s+\\(([^()]*)\\)$`),
    (key, values) => (labels) => among(values, labels[key]),
  ],
  [
    new RegExp(`^(${KEY})\\s+notin\\s+\\(([^()]*)\\)$`),
    (key, values) => (labels) => !among(values, labels[key]),
  ],
];

function among(values: string, value: string | undefined): boolean {
  const all = values.split(",").map((each) => each.trim());
  return value !== undefined && all.includes(value);
}

/** Reads a label selector as the API does; undefined when it is none. */
export function parseSelector(text: string): Matches | undefined {
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  const requirements: Matches[] = [];
  for (const part of parts) {
    if (part === "" && parts.length === 1) continue;
    const matched = forms.map(([form, make]) => [form.exec(part), make] as const);
    const [found, make] = matched.find(([match]) => match !== null) ?? [];
    if (!found || make === undefined) return undefined;
    requirements.push(make(found[1] ?? "", found[2] ?? ""));
  }
  return (labels) => requirements.every((requirement) => requirement(labels));
}
