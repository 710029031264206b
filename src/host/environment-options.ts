import { readFile } from "node:fs/promises";
import { bindEndpoint } from "../core/endpoint.js";
import { checkServiceName, weightProblem } from "../core/instance.js";
import { checkNumber, checkOneOf, checkText, seen } from "../core/options.js";
import { isRecord } from "../core/record.js";
import { servingError } from "../core/serving-error.js";
import { checkCors } from "../server/cors-options.js";
import { serverLimits } from "../server/limits.js";
import type { HostOptions } from "./host-options.js";
import { readBoolean, readJson, readNumber, readToken } from "./read-value.js";
import {
  decompressors,
  hostNumberRanges,
  laneKinds,
  logLevels,
  openPaths,
} from "./resolve-host-options.js";

/** What every variable begins with. */
export const VARIABLE_PREFIX = "INFERWIRE_";

/** How the text of a variable is written. */
export type VariableForm =
  | "text"
  | "token"
  | "number"
  | "boolean"
  | "word"
  | "list"
  | "JSON"
  | "file";

/** A variable and the option that it carries. */
export interface EnvironmentVariable {
  readonly variable: string;
  readonly option: keyof HostOptions;
  /** Property of the option, where several variables make it up. */
  readonly part: string | undefined;
  readonly form: VariableForm;
  /** Reads the text, or the file that it names; `where` is the variable's name, for messages. */
  read(text: string, where: string): unknown;
}

/** One way to give an option: the end of its variable's name, and how its text is read. */
interface Way {
  readonly ending?: string;
  readonly part?: string;
  readonly form: VariableForm;
  readonly read: (text: string, where: string) => unknown;
}

const text: readonly Way[] = [{ form: "text", read: checkText }];
const boolean: readonly Way[] = [{ form: "boolean", read: readBoolean }];
const token: readonly Way[] = [
  { form: "token", read: readToken },
  { ending: "_FILE", form: "file", read: readTokenFile },
];

const pemFile = (ending: string, part: string): Way => ({
  ending,
  part,
  form: "file",
  read: readTextFile,
});
const checked = (check: (value: string, where: string) => unknown): readonly Way[] => [
  {
    form: "text",
    read(value, where) {
      check(checkText(value, where), where);
      return value;
    },
  },
];
const word = <T extends string>(words: readonly T[]): readonly Way[] => [
  { form: "word", read: (value, where) => checkOneOf(value, where, words) },
];
const json = (check: (value: unknown, where: string) => unknown): readonly Way[] => [
  { form: "JSON", read: (value, where) => check(readJson(value, where), where) },
];

type RangedOption = keyof typeof hostNumberRanges;

/** Every other option than the numbers that have a range; the compiler asks for a line for each. None: code only. */
const ways: Readonly<Record<Exclude<keyof HostOptions, RangedOption>, readonly Way[]>> = {
  service: checked(checkServiceName),
  endpoint: checked(bindEndpoint),
  token,
  adminToken: token,
  open: [{ form: "list", read: readOpenPaths }],
  tls: [
    pemFile("_CERT_FILE", "cert"),
    pemFile("_KEY_FILE", "key"),
    pemFile("_CLIENT_CA_FILE", "clientCa"),
  ],
  cors: json(checkCorsObject),
  lane: word(laneKinds),
  module: text,
  modelPath: text,
  modelConfig: json((value) => value),
  warmUp: text,
  limits: json(checkLimits),
  directory: text,
  directoryToken: token,
  directoryTls: [
    // False is what an option left out means.
    {
      form: "boolean",
      read: (value, where) => (readBoolean(value, where) ? true : undefined),
    },
    pemFile("_CA_FILE", "ca"),
    pemFile("_CERT_FILE", "cert"),
    pemFile("_KEY_FILE", "key"),
    { ending: "_SERVER_NAME", part: "serverName", form: "text", read: checkText },
  ],
  advertise: text,
  name: text,
  weight: [{ form: "number", read: readWeight }],
  app: text,
  metrics: json(checkObject),
  middleware: [],
  decompressor: word(decompressors),
  checkContentMd5: boolean,
  exposeErrors: boolean,
  otherPaths: boolean,
  loadReport: boolean,
  logger: [],
  logLevel: word(logLevels),
  notices: [],
};

const rangedWays: readonly (readonly [RangedOption, readonly Way[]])[] = (
  Object.keys(hostNumberRanges) as RangedOption[]
).map((option) => [
  option,
  [
    {
      form: "number",
      read: (value, where) =>
        checkNumber(readNumber(value, where), where, hostNumberRanges[option]),
    },
  ],
]);

const allWays = [
  ...(Object.entries(ways) as (readonly [keyof HostOptions, readonly Way[]])[]),
  ...rangedWays,
];

/** The variable of an option: `maxQueueLength` is `INFERWIRE_MAX_QUEUE_LENGTH`. */
export function variableOf(option: string): string {
  return VARIABLE_PREFIX + option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** Every variable there is. */
export const environmentVariables: readonly EnvironmentVariable[] = allWays.flatMap(
  ([option, list]) =>
    list.map(({ ending = "", part, form, read }) => ({
      variable: variableOf(option) + ending,
      option,
      part,
      form,
      read,
    })),
);

/** Options that no text can carry. */
export const codeOnlyOptions: readonly (keyof HostOptions)[] = allWays.flatMap(([option, list]) =>
  list.length === 0 ? [option] : [],
);

function readWeight(value: string, where: string): number {
  const weight = readNumber(value, where);
  const problem = weightProblem(weight);
  if (problem === undefined) return weight;
  throw servingError("INVALID_OPTION", problem.replace("weight", where));
}

// An empty list is a value of its own: nothing is open.
function readOpenPaths(value: string, where: string): readonly string[] {
  const paths = value.split(",").map((path) => path.trim());
  if (paths.length === 1 && paths[0] === "") return [];
  const words: readonly string[] = openPaths;
  return paths.map((path) => checkOneOf(path, where, words));
}

function checkObject(value: unknown, where: string): unknown {
  if (isRecord(value)) return value;
  throw servingError("INVALID_OPTION", `${where} is ${seen(value)}, expected a JSON object`);
}

function checkCorsObject(value: unknown, where: string): unknown {
  const cors = checkObject(value, where) as NonNullable<HostOptions["cors"]>;
  checkCors(cors, where);
  return cors;
}

function checkLimits(value: unknown, where: string): unknown {
  const limits = checkObject(value, where) as HostOptions["limits"];
  serverLimits(limits, where);
  return limits;
}

async function readTokenFile(path: string, where: string): Promise<string> {
  return readToken((await readTextFile(path, where)).replace(/\r?\n$/, ""), where);
}

async function readTextFile(path: string, where: string): Promise<string> {
  try {
    return await readFile(checkText(path, where), "utf8");
  } catch (cause) {
    throw servingError("INVALID_OPTION", `${where} names ${seen(path)}, which is unreadable`, {
      cause,
    });
  }
}
