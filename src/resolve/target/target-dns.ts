import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import type { Endpoint } from "../../core/endpoint.js";
import { portProblem } from "../../core/instance.js";
import { seen } from "../../core/options.js";
import { DNS_NAME_FORM, isDnsName } from "../dns/dns-name.js";
import { dnsServer } from "../dns/dns-system.js";
import { invalidTarget } from "./invalid-target.js";
import type { DnsTarget } from "./target-kind.js";

const forms = {
  dns: "dns:///NAME:PORT or dns://SERVER[:PORT][,SERVER]/NAME:PORT",
  srv: "srv:///NAME or srv://SERVER[:PORT][,SERVER]/NAME",
} as const;

/** Reads what follows `dns://` or `srv://`. */
export function parseDnsTarget(kind: DnsTarget["kind"], text: string, rest: string): DnsTarget {
  const slash = rest.indexOf("/");
  if (slash < 0) {
    throw invalidTarget(
      `target is ${seen(text)}, which has no slash before the name`,
      `${forms[kind]}; without a server, three slashes`,
    );
  }
  const servers = slash === 0 ? [] : parseServers(text, rest.slice(0, slash));
  const place = rest.slice(slash + 1);
  if (kind === "srv") return { kind, text, service: place, name: srvName(text, place), servers };
  const { name, port } = nameAndPort(text, place);
  return { kind, text, service: name, name, port, servers };
}

function parseServers(text: string, list: string): readonly Endpoint[] {
  return list.split(",").map((part) => {
    const server = dnsServer(part);
    // A server that must be looked up first would need another server.
    if (server !== undefined && isIP(server.host) !== 0 && server.port !== 0) return server;
    throw invalidTarget(
      `target is ${seen(text)}, where a server is ${seen(part)}`,
      "the IP address of a DNS server, such as 10.0.0.2, 10.0.0.2:5353 or [::1]:5353",
    );
  });
}

function nameAndPort(text: string, place: string): { name: string; port: number } {
  const [, name, digits] = /^(.*):(\d{1,5})$/s.exec(place) ?? [];
  if (name === undefined || portProblem(Number(digits)) !== undefined) {
    refuseAddress(text, place, "PORT");
    throw invalidTarget(
      `target is ${seen(text)}, which has no port from 1 to 65535 behind the name`,
      forms.dns,
    );
  }
  refuseAddress(text, name, digits ?? "");
  return { name: checkName(text, name), port: Number(digits) };
}

function srvName(text: string, place: string): string {
  const [, name] = /^([^:]*):\d+$/.exec(place) ?? [];
  if (name !== undefined) {
    throw invalidTarget(
      `target is ${seen(text)}, which has a port`,
      `srv:///${name}: SRV records bring the ports; or dns:///NAME:PORT`,
    );
  }
  refuseAddress(text, place, "PORT");
  return checkName(text, place);
}

/** What is an address needs no look-up. */
function refuseAddress(text: string, name: string, port: string): void {
  const host = name.replace(/^\[(.*)\]$/, "$1");
  const kind = isIP(host);
  if (kind === 0) return;
  const address = kind === 6 ? `[${host}]` : host;
  throw invalidTarget(
    `target is ${seen(text)}, where ${seen(name)} is an address and no name`,
    `a list of addresses: static:///${address}:${port}`,
  );
}

function checkName(text: string, name: string): string {
  if (isDnsName(name)) return name;
  const ascii = domainToASCII(name);
  const advice = ascii !== name && isDnsName(ascii) ? `; in DNS it is ${ascii}` : "";
  throw invalidTarget(
    `target is ${seen(text)}, where the name is ${seen(name)}`,
    `${DNS_NAME_FORM}${advice}`,
  );
}
