import type {
  RegisterRequest,
  RegisterResponse,
  SetTrafficRequest,
  SetWeightRequest,
} from "../../gen/inferwire/upstream/v1/upstream.js";
import { sharesProblem } from "../core/group-name.js";
import {
  appFromService,
  type Instance,
  instanceOf,
  isServiceName,
  SERVICE_FORM,
  weightProblem,
} from "../core/instance.js";
import { MAX_LEASE_TTL_MS, MIN_LEASE_TTL_MS } from "../core/lease.js";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { durationFromMs, durationToMs } from "./time.js";
import { appProblem, isInstanceName, itemProblem } from "./upstream-item.js";

const HOLDER = /^[\x21-\x7e]{16,128}$/;

/** An instance that is to be listed for some time. */
export interface Registration {
  readonly service: string;
  readonly instance: Instance;
  readonly ttlMs: number;
  /** Secret of the registrant; empty when it has none: the registration then stands for itself. */
  readonly holder: string;
}

/** What a directory answers to a registration and to each renewal. */
export interface Lease {
  /** Secret of the registration. */
  readonly id: string;
  /** How long it holds from now on. */
  readonly ttlMs: number;
  /** The weight in force: an operator's, when one has been set, else the registered one. */
  readonly weight: number;
}

/** An operator's weight for an instance, by its name; undefined takes it back. */
export interface WeightSetting {
  readonly service: string;
  readonly instance: string;
  readonly weight: number | undefined;
}

/** The traffic shares of the members of a group. */
export interface TrafficSetting {
  readonly group: string;
  readonly shares: ReadonlyMap<string, number>;
  /** What must hold for them to be set; undefined for anything. Who is not named has none. */
  readonly expected?: ReadonlyMap<string, number> | undefined;
}

function refused(message: string): Error {
  return servingError("MALFORMED_REQUEST", message);
}

/**
 * Checks a service name that came in.
 *
 * @throws HostError `MALFORMED_REQUEST`
 */
export function checkedService(service: string, field = "service"): string {
  if (!isServiceName(service)) {
    throw refused(`${field} is ${seen(service)}, expected ${SERVICE_FORM}`);
  }
  return service;
}

function checkedInstanceName(name: string, field: string): string {
  if (!isInstanceName(name)) {
    throw refused(`${field} is ${seen(name)}, expected 1 to 128 printable ASCII characters`);
  }
  return name;
}

/**
 * Reads a registration.
 *
 * @throws HostError `MALFORMED_REQUEST` naming the field, what was seen and what is expected.
 */
export function registrationFromWire(request: RegisterRequest): Registration {
  const service = checkedService(request.service);
  const { instance } = request;
  if (instance === undefined) throw refused("instance is missing");
  checkedInstanceName(instance.name, "instance.name");
  const problem = itemProblem(instance) ?? appProblem(instance.app);
  if (problem !== undefined) throw refused(`instance.${problem}`);
  const ttlMs = request.ttl === undefined ? 0 : durationToMs(request.ttl);
  if (!(ttlMs >= MIN_LEASE_TTL_MS && ttlMs <= MAX_LEASE_TTL_MS)) {
    const text = request.ttl === undefined ? "missing" : `${ttlMs / 1_000} s`;
    const range = `${MIN_LEASE_TTL_MS / 1_000} s to ${MAX_LEASE_TTL_MS / 1_000} s`;
    throw refused(`ttl is ${text}, expected ${range}`);
  }
  const { name, ip, port, weight, app } = instance;
  return {
    service,
    instance: instanceOf({ name, host: ip, port, weight, app: app || appFromService(service) }),
    ttlMs,
    holder: checkedHolder(request.holder),
  };
}

function checkedHolder(holder: string): string {
  // Not shown: it is a secret.
  if (holder === "" || HOLDER.test(holder)) return holder;
  throw refused("holder is not 16 to 128 printable ASCII characters");
}

/** A lease as the answer to a registration. */
export function leaseToWire({ id, ttlMs, weight }: Lease): RegisterResponse {
  return { leaseId: id, ttl: durationFromMs(ttlMs), weight };
}

/**
 * Reads an operator's weight.
 *
 * @throws HostError `MALFORMED_REQUEST`
 */
export function weightSettingFromWire(request: SetWeightRequest): WeightSetting {
  const service = checkedService(request.service);
  const instance = checkedInstanceName(request.instance, "instance");
  const { weight } = request;
  const problem = weight === undefined ? undefined : weightProblem(weight);
  if (problem !== undefined) throw refused(problem);
  return { service, instance, weight };
}

/**
 * Reads the traffic shares of a group.
 *
 * @throws HostError `MALFORMED_REQUEST`
 */
export function trafficSettingFromWire(request: SetTrafficRequest): TrafficSetting {
  const { group, shares, expected } = request;
  const problem = sharesProblem(group, shares);
  if (problem !== undefined) throw refused(problem);
  return { group, shares: new Map(shares), expected: expected && new Map(expected.shares) };
}
