/** How deep a value is followed; below that it is left out. */
const MAX_DEPTH = 6;

/**
 * Takes from a value what survives a structured clone and a JSON log line: texts, numbers, booleans, null, bytes, lists
 * and plain objects. An Error becomes `{ type, message, stack }`, a bigint a text; functions, symbols, what throws when it
 * is looked at, and what lies deeper than 6 levels (so that a cycle ends) are left out. Never throws.
 */
export function plainValue(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return value;
    case "bigint":
      return String(value);
    case "object":
      return value === null ? null : plainObjectOf(value, depth);
    default:
      return undefined;
  }
}

/** The plain values of an object's own properties, but those whose getters throw. */
export function plainRecord(fields: object, depth = 0): Readonly<Record<string, unknown>> {
  const plain: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    const kept = valueAt(fields, key, depth + 1);
    if (kept !== undefined) plain[key] = kept;
  }
  return plain;
}

/** What {@link plainRecord} made, its errors again errors of the name, message, stack and fields that they had. */
export function recordFromPlain(plain: object): Readonly<Record<string, unknown>> {
  const record: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(plain)) record[key] = valueFromPlain(value);
  return record;
}

/** Makes an error of a class of that name: loggers such as pino name an error by its class, others by its name. */
export function namedError(name: string, message: string, stack: string): Error {
  const Named = { [name]: class extends Error {} }[name] ?? Error;
  Object.defineProperty(Named.prototype, "name", { value: name, writable: true });
  const error = new Named(message);
  error.stack = stack;
  return error;
}

function valueFromPlain(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(valueFromPlain);
  const record = recordFromPlain(value);
  const { type, message, stack, ...fields } = record;
  return typeof type === "string" && typeof message === "string" && typeof stack === "string"
    ? Object.assign(namedError(type, message, stack), fields)
    : record;
}

function valueAt(fields: object, key: string, depth: number): unknown {
  try {
    return plainValue((fields as Readonly<Record<string, unknown>>)[key], depth);
  } catch {
    return undefined;
  }
}

function plainObjectOf(value: object, depth: number): unknown {
  try {
    return plainObject(value, depth);
  } catch {
    return undefined;
  }
}

function plainObject(value: object, depth: number): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (value instanceof Date || value instanceof URL) return value.toJSON();
  if (depth >= MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return value.map((each) => plainValue(each, depth + 1) ?? null);
  if (value instanceof Error) return plainThrown(value, depth);
  return plainRecord(value, depth);
}

function plainThrown(error: Error, depth: number): unknown {
  const { name, message, stack } = error;
  // A class of the user's seldom says what its name is.
  const type = name === "Error" ? error.constructor.name : name;
  const cause = plainValue(error.cause, depth + 1);
  return {
    ...plainRecord(error, depth),
    type,
    message,
    stack,
    ...(cause === undefined ? {} : { cause }),
  };
}
