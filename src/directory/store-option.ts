import { connectEndpoints } from "../core/endpoint.js";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import type { StoreKind } from "./store-kind.js";

const FORMS = "memory, file:PATH or etcd://host:port[,host:port]/PREFIX";

/** Parts of a key with slashes between them; a question mark would look like a parameter that is ignored. */
const PREFIX = /^\/?[\x21-\x2e\x30-\x3e\x40-\x7e]+(?:\/[\x21-\x2e\x30-\x3e\x40-\x7e]+)*$/;

/**
 * Reads the option `store` of a directory.
 *
 * @throws ConfigError `INVALID_OPTION` that shows what was seen and what is expected.
 */
export function parseStore(text: string): StoreKind {
  if (text === "memory") return { kind: "memory" };
  const [, scheme = "", rest = ""] =
    /^(file|etcd):(.*)$/s.exec(typeof text === "string" ? text : "") ?? [];
  if (scheme === "file") return parseFile(text, rest);
  if (scheme === "etcd") return parseEtcd(text, rest);
  throw invalid(`store is ${seen(text)}`, FORMS);
}

function parseFile(text: string, path: string): StoreKind {
  const form =
    "file:PATH with the path of a file, such as file:/var/lib/inferwire/directory.journal";
  if (path === "" || path.endsWith("/") || path.includes("\0")) {
    throw invalid(`store is ${seen(text)}, which names no file`, form);
  }
  // Of file:///a/b the host is empty; file://a/b would be a file of the host a.
  if (!path.startsWith("//")) return { kind: "file", path };
  if (!path.startsWith("///")) throw invalid(`store is ${seen(text)}, with two slashes`, form);
  return { kind: "file", path: path.slice(2) };
}

function parseEtcd(text: string, rest: string): StoreKind {
  if (rest.includes("@")) {
    // Not shown: the message would carry the secret into logs.
    throw invalid(
      "store is an etcd address with a user or password",
      "one without, and the option storeTls with a client's certificate",
    );
  }
  const path = rest.startsWith("//") ? rest.slice(2) : "";
  const slash = path.indexOf("/");
  const list = slash < 0 ? path : path.slice(0, slash);
  const prefix = slash < 0 ? "" : path.slice(slash + 1);
  if (list === "") throw invalid(`store is ${seen(text)}, which names no member`, FORMS);
  if (prefix === "") throw invalid(`store is ${seen(text)}, which names no prefix`, FORMS);
  if (!PREFIX.test(prefix)) {
    throw invalid(
      `store is ${seen(text)}, where the prefix is ${seen(prefix)}`,
      "printable ASCII without spaces and question marks, no part empty, no slash at the end",
    );
  }
  return {
    kind: "etcd",
    members: connectEndpoints(list, "store", "store: a member of etcd"),
    prefix: `${prefix}/`,
  };
}

function invalid(what: string, expected: string): Error {
  return servingError("INVALID_OPTION", `${what}, expected ${expected}`);
}
