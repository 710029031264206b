import type { PropertyView } from "../builtin/host-view.js";
import { unknownProperty } from "../builtin/prop.js";
import { MAX_WEIGHT, weightProblem } from "../core/instance.js";
import { checkNumber, checkOneOf, type NumberRange, seen } from "../core/options.js";
import { isRecord } from "../core/record.js";
import { isServingError, servingError } from "../core/serving-error.js";
import type { ProcessorProperty } from "../processor/processor.js";
import type { LogLevel } from "../server/logger.js";
import { ownPropertyHelp, propertyHelp } from "./property-help.js";
import { logLevels } from "./resolve-host-options.js";

/** One setting of a running host, where it is in force. */
export interface LiveSetting<T> {
  /** The value in force. */
  read(): T;
  /** Puts a value in force that has been checked; never throws. */
  apply(value: T): void;
  /** Why this host cannot change it; undefined when it can. */
  readonly fixedBecause?: string | undefined;
}

/** Number options that can be changed while a host runs, besides `weight`. */
export type LiveNumber = "maxQueueLength" | "maxQueueBytes" | "requestsPerSecond" | "callsPerLane";

/** Every setting of a host that can be changed while it runs. */
export type LiveSettings = Readonly<Record<LiveNumber | "weight", LiveSetting<number>>> & {
  readonly logLevel: LiveSetting<LogLevel>;
};

/** What the properties of a host are made of. */
export interface HostPropertiesOptions {
  readonly live: LiveSettings;
  /** What the live numbers may be: the same as the options of their names. */
  readonly ranges: Readonly<Record<LiveNumber, NumberRange>>;
  /** All options in force, secrets masked; those that are not live are listed and refused. */
  readonly config: () => Readonly<Record<string, unknown>>;
  /** What the processor declares. */
  readonly own: Readonly<Record<string, ProcessorProperty>>;
  /** Tells every lane the values of all of the processor's properties; never throws. */
  readonly applyOwn: (values: ReadonlyMap<string, string>) => void;
}

/** The properties of a host and of its processor, read and set by the builtin `prop`. */
export interface HostProperties {
  /** The processor's own, as they are now; the same map for ever. */
  readonly own: ReadonlyMap<string, string>;
  /** All, by name, ascending. */
  list(): readonly PropertyView[];
  /**
   * Sets properties, all of them or none; answers with those that were set.
   *
   * @throws HostError `UNKNOWN_PROPERTY`, `PROPERTY_REFUSED`.
   */
  set(values: ReadonlyMap<string, string>): readonly PropertyView[];
}

/** What a property would become: told after every value has been checked. */
type Apply = () => void;

/** One row of the table. */
interface Property {
  readonly help: string;
  read(): string;
  /** Checks a value. @throws HostError `PROPERTY_REFUSED`. */
  prepare(value: string): Apply;
  readonly mutable: boolean;
}

/**
 * Makes the properties of a host.
 *
 * @throws ConfigError `INVALID_OPTION` for a property of the processor that has a host property's name, a name that
 * cannot be used, or an initial value that it refuses itself.
 */
export function createHostProperties(options: HostPropertiesOptions): HostProperties {
  const { config, applyOwn } = options;
  const live = liveProperties(options);
  const own = new Map<string, string>();
  const declared = new Map<string, Property>();
  const taken = new Set([...live.keys(), ...fixedValues(config(), live).keys()]);
  for (const [name, property] of Object.entries(options.own)) {
    checkOwn(name, property, taken);
    own.set(name, property.initial);
    declared.set(name, ownProperty(name, property, own));
  }
  const all = (): ReadonlyMap<string, Property> =>
    new Map([...fixedProperties(fixedValues(config(), live)), ...live, ...declared]);

  return {
    own,
    list: () => views(all()),
    set(values) {
      const known = all();
      const prepared = [...values].map(([name, value]) => {
        const property = known.get(name);
        if (property === undefined) throw unknownProperty(name, known.keys());
        return property.prepare(value);
      });
      for (const apply of prepared) apply();
      if ([...values.keys()].some((name) => declared.has(name))) applyOwn(own);
      return views(new Map([...known].filter(([name]) => values.has(name))));
    },
  };
}

function views(properties: ReadonlyMap<string, Property>): readonly PropertyView[] {
  return [...properties]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { help, mutable, read }]) => ({ name, value: read(), mutable, help }));
}

function liveProperties({ live, ranges }: HostPropertiesOptions): ReadonlyMap<string, Property> {
  const ofRange = (name: LiveNumber): readonly [string, Property] => {
    const { min, max } = ranges[name];
    const check = (text: string): number => checkNumber(numberOf(name, text), name, ranges[name]);
    return [name, liveProperty(name, rangeText(min, max), live[name], check)];
  };
  return new Map([
    ["weight", liveProperty("weight", rangeText(0, MAX_WEIGHT), live.weight, checkedWeight)],
    ofRange("maxQueueLength"),
    ofRange("maxQueueBytes"),
    ofRange("requestsPerSecond"),
    ofRange("callsPerLane"),
    ["logLevel", liveProperty("logLevel", logLevels.join(", "), live.logLevel, checkedLevel)],
  ]);
}

function liveProperty<T extends string | number>(
  name: string,
  values: string,
  setting: LiveSetting<T>,
  check: (text: string) => T,
): Property {
  const { fixedBecause } = setting;
  return {
    help: `${propertyHelp(name)} (${values})`,
    mutable: fixedBecause === undefined,
    read: () => String(setting.read()),
    prepare(text) {
      if (fixedBecause !== undefined) throw refused(`${name} cannot be changed: ${fixedBecause}`);
      const value = orRefused(() => check(text));
      return () => setting.apply(value);
    },
  };
}

function rangeText(min: number, max: number): string {
  return `${min} to ${max}`;
}

/** Options that are not live, by their path: `limits.maxConnections`. */
function fixedValues(
  config: Readonly<Record<string, unknown>>,
  live: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, unknown> {
  const values = Object.entries(config).flatMap(([name, value]): (readonly [string, unknown])[] =>
    isRecord(value)
      ? Object.entries(value).map(([inner, v]) => [`${name}.${inner}`, v])
      : [[name, value]],
  );
  return new Map(values.filter(([name]) => !live.has(name)));
}

function fixedProperties(values: ReadonlyMap<string, unknown>): ReadonlyMap<string, Property> {
  return new Map([...values].map(([name, value]) => [name, fixedProperty(name, value)]));
}

function fixedProperty(name: string, value: unknown): Property {
  return {
    help: propertyHelp(name),
    mutable: false,
    read: () => (typeof value === "string" ? value : value === null ? "" : JSON.stringify(value)),
    prepare() {
      throw refused(`${name} cannot be changed while the host runs`);
    },
  };
}

const OWN_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,127}$/;

function checkOwn(name: string, property: ProcessorProperty, taken: ReadonlySet<string>): void {
  const where = `property ${seen(name)} of the processor`;
  const wrong = (problem: string): Error => servingError("INVALID_OPTION", `${where} ${problem}`);
  if (!OWN_NAME.test(name)) {
    throw wrong('has a name that cannot be used, expected a letter, then letters, digits, "_.-"');
  }
  if (taken.has(name)) throw wrong("has the name of a property of the host, expected another");
  if (typeof property.initial !== "string") {
    throw wrong(`starts as ${seen(property.initial)}, expected a text`);
  }
  const problem = ownProblem(property, property.initial);
  if (problem !== undefined) throw wrong(`refuses its initial value: ${problem}`);
}

function ownProperty(
  name: string,
  property: ProcessorProperty,
  values: Map<string, string>,
): Property {
  return {
    help: ownPropertyHelp,
    mutable: true,
    read: () => values.get(name) ?? property.initial,
    prepare(value) {
      const problem = ownProblem(property, value);
      if (problem !== undefined) throw refused(`${name}: ${problem}`);
      return () => values.set(name, value);
    },
  };
}

function ownProblem({ validate }: ProcessorProperty, value: string): string | undefined {
  try {
    return validate?.(value);
  } catch {
    return "its validate() threw";
  }
}

/** As JSON writes numbers; anything else is no number. */
const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

function numberOf(name: string, text: string): number {
  if (NUMBER.test(text)) return Number(text);
  throw refused(`${name} is ${seen(text)}, expected a number`);
}

function checkedWeight(text: string): number {
  const weight = numberOf("weight", text);
  const problem = weightProblem(weight);
  if (problem !== undefined) throw refused(problem);
  return weight;
}

function checkedLevel(text: string): LogLevel {
  // Checked to be one of the levels, whatever the text is.
  return checkOneOf(text as LogLevel, "logLevel", logLevels);
}

/** What an option's check refuses, a property's does. */
function orRefused<T>(check: () => T): T {
  try {
    return check();
  } catch (thrown) {
    throw isServingError(thrown) ? refused(thrown.message) : thrown;
  }
}

function refused(problem: string): Error {
  return servingError("PROPERTY_REFUSED", problem);
}
