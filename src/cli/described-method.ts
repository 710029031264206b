import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ServiceChannel } from "../client/service-channel.js";
import { servingError } from "../core/serving-error.js";
import {
  createDynamicMethods,
  type DynamicMethod,
  type DynamicMethods,
} from "../wire/dynamic-methods.js";
import { declaredServices, kitDescriptorSet } from "../wire/file-registry.js";
import type { BytesCallOptions } from "./bytes-client.js";
import type { CliContext } from "./command.js";
import type { DescriptorFlags } from "./descriptor-flags.js";
import { findMethod, isNamed, parseMethodName } from "./find-method.js";
import { reflect } from "./reflection.js";

/** Where methods are looked up. */
export interface DescribeOptions {
  readonly channel: ServiceChannel;
  readonly flags: DescriptorFlags;
  readonly context: CliContext;
  /** For the questions that reflection takes. */
  readonly call: BytesCallOptions;
}

/** Methods, and the services that they are looked for in. */
export interface DescribedMethods {
  readonly methods: DynamicMethods;
  /** Full names, sorted; those that every host has come last. */
  readonly services: readonly string[];
}

/**
 * Finds a method by its name: in the kit's own services, in what the flags name, else by asking an instance.
 *
 * @param name - `package.Service/Method`, `Service.Method` or, where only one is called so, `Method`
 * @throws ConfigError `INVALID_OPTION` with what there is; `PROTO_INVALID`, `PEER_MISSING`; what calls throw.
 */
export async function describeMethod(
  name: string,
  options: DescribeOptions,
): Promise<DynamicMethod> {
  const { service, method } = parseMethodName(name);
  const own = createDynamicMethods([kitDescriptorSet()]).find(`/${service}/${method}`);
  if (own !== undefined) return own;
  const { methods, services } = await describeMethods(options, (listed) =>
    isNamed(listed, { service, method }),
  );
  return findMethod(methods, services, name);
}

/**
 * Finds all methods that the flags name, or else an instance.
 *
 * @param wanted - which services are needed, where each costs a question; when there is none of them all are looked at
 */
export async function describeMethods(
  options: DescribeOptions,
  wanted: (service: string) => boolean = () => true,
): Promise<DescribedMethods> {
  const given = await givenDescriptorSet(options);
  if (given !== undefined) return givenMethods(given);
  let reflected = await reflect(options.channel, wanted, options.call);
  if (!reflected.services.some(wanted)) {
    reflected = await reflect(options.channel, () => true, options.call);
  }
  const { descriptorSet, services } = reflected;
  try {
    return { methods: withKit(descriptorSet), services: inOrder(services) };
  } catch (cause) {
    throw servingError("ANSWER_MALFORMED", `reflection's descriptors: ${saidBy(cause)}`, { cause });
  }
}

interface GivenDescriptorSet {
  /** What gave it, for errors. */
  readonly flag: string;
  readonly bytes: Uint8Array;
}

async function givenDescriptorSet({
  flags,
  context,
}: DescribeOptions): Promise<GivenDescriptorSet | undefined> {
  const { descriptorSet, proto, protoPath } = flags;
  if (descriptorSet !== undefined && proto !== undefined) {
    throw servingError("INVALID_OPTION", "--descriptor-set and --proto are two ways, give one");
  }
  if (proto !== undefined) {
    const { compileProto } = await import("./compile-proto.js");
    return { flag: `--proto ${proto}`, bytes: await compileProto(proto, protoPath, context) };
  }
  if (protoPath !== undefined) throw servingError("INVALID_OPTION", "--proto-path needs --proto");
  if (descriptorSet === undefined) return undefined;
  const flag = `--descriptor-set ${descriptorSet}`;
  try {
    return { flag, bytes: await readFile(resolve(context.folder, descriptorSet)) };
  } catch (cause) {
    throw servingError("INVALID_OPTION", `${flag} is unreadable`, { cause });
  }
}

function givenMethods({ bytes, flag }: GivenDescriptorSet): DescribedMethods {
  try {
    return { methods: withKit(bytes), services: inOrder(declaredServices(bytes)) };
  } catch (cause) {
    const said = `${flag} is no usable descriptor set: ${saidBy(cause)}`;
    throw servingError("INVALID_OPTION", said, { cause });
  }
}

function inOrder(services: readonly string[]): readonly string[] {
  const kits = new Set(declaredServices(kitDescriptorSet()));
  return services.toSorted(
    (a, b) => Number(kits.has(a)) - Number(kits.has(b)) || (a < b ? -1 : Number(a > b)),
  );
}

function saidBy(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** With the kit's files behind, among which are google's that others leave out because everybody has them. */
function withKit(descriptorSet: Uint8Array): DynamicMethods {
  return createDynamicMethods([descriptorSet, kitDescriptorSet()]);
}
