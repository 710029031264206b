import { servingError } from "../../src/core/serving-error.js";
import type { DnsRecord, DnsReply, DnsService } from "../../src/resolve/dns/dns-message.js";
import type { DnsAsk, DnsQuestion } from "../../src/resolve/dns/dns-query.js";

/** What a fake server answers: records, all of a reply, a failure, or nothing until the question is given up. */
export type FakeDnsAnswer = readonly DnsRecord[] | Partial<DnsReply> | Error | "never";

/** DNS without sockets: every server knows the same, unless one is told otherwise. */
export interface FakeDns {
  readonly ask: DnsAsk;
  /** `TYPE NAME`, in the order in which they were asked. */
  readonly questions: readonly string[];
  /** The servers that were asked, in order. */
  readonly asked: readonly string[];
  /** What is answered to `TYPE NAME`; anything else is NODATA for a name that has something, else NXDOMAIN. */
  readonly zone: Map<string, FakeDnsAnswer>;
  /** What servers answer to everything, by host. */
  readonly servers: Map<string, FakeDnsAnswer>;
}

/** Makes DNS that knows no name. */
export function createFakeDns(): FakeDns {
  const questions: string[] = [];
  const asked: string[] = [];
  const zone = new Map<string, FakeDnsAnswer>();
  const servers = new Map<string, FakeDnsAnswer>();
  return {
    questions,
    asked,
    zone,
    servers,
    async ask(question) {
      const { name, type, server } = question;
      questions.push(`${type} ${name}`);
      asked.push(server.host);
      const answer = servers.get(server.host) ?? zone.get(`${type} ${name}`) ?? absent(name);
      if (answer instanceof Error) throw answer;
      if (answer === "never") return await untilGivenUp(question);
      return replyOf("length" in answer ? { answers: answer } : answer);
    },
  };

  function absent(name: string): FakeDnsAnswer {
    const known = [...zone.keys()].some((key) => key.endsWith(` ${name}`));
    return { code: known ? 0 : 3 };
  }
}

function replyOf(given: Partial<DnsReply>): DnsReply {
  return { code: 0, vouches: true, truncated: false, answers: [], additionals: [], ...given };
}

function untilGivenUp({ clock, timeoutMs, signal }: DnsQuestion): Promise<never> {
  return new Promise((_, reject) => {
    const cancelTimer = clock.after(
      timeoutMs,
      () => reject(servingError("DEADLINE_EXCEEDED", `no answer within ${timeoutMs} ms`)),
      { background: true },
    );
    signal.addEventListener("abort", () => {
      cancelTimer();
      reject(signal.reason);
    });
  });
}

const TTL_SECONDS = 10;

/** An A or AAAA record. */
export function address(name: string, ip: string, ttlSeconds: number = TTL_SECONDS): DnsRecord {
  return { type: ip.includes(":") ? "AAAA" : "A", name, ttlSeconds, data: ip };
}

/** A CNAME record. */
export function alias(name: string, of: string, ttlSeconds: number = TTL_SECONDS): DnsRecord {
  return { type: "CNAME", name, ttlSeconds, data: of };
}

/** An SRV record; priority 0, weight 1 and port 80 unless told. */
export function service(
  name: string,
  target: string,
  { priority = 0, weight = 1, port = 80 }: Partial<DnsService> = {},
  ttlSeconds: number = TTL_SECONDS,
): DnsRecord {
  return { type: "SRV", name, ttlSeconds, data: { priority, weight, port, target } };
}
