import { type Answer, decode, encode, RECURSION_DESIRED } from "dns-packet";
import { servingError } from "../../core/serving-error.js";
import { comparableName } from "./dns-name.js";

/** What is asked for. */
export type DnsRecordType = "A" | "AAAA" | "SRV";

/** Where an SRV record points. */
export interface DnsService {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

interface RecordOf<T extends string, D> {
  readonly type: T;
  /** As {@link comparableName} gives it. */
  readonly name: string;
  readonly ttlSeconds: number;
  readonly data: D;
}

/** A record of a reply; what it says is not checked. */
export type DnsRecord =
  | RecordOf<"A", string>
  | RecordOf<"AAAA", string>
  | RecordOf<"CNAME", string>
  | RecordOf<"SRV", DnsService>;

/** What a server answered. */
export interface DnsReply {
  /** DNS's RCODE. */
  readonly code: number;
  /** The server is one of the name's own, or asks those itself: if it names nothing, there is nothing. */
  readonly vouches: boolean;
  readonly truncated: boolean;
  readonly answers: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

/** Largest datagram that passes everywhere without being fragmented. */
const MAX_DATAGRAM_BYTES = 1_232;

const HEADER_BYTES = 12;

/** Larger times to live are read as 0 (RFC 2181). */
const MAX_TTL_SECONDS = 2 ** 31 - 1;

/** Labels of a name, and pointers on the way: thousands of names with hundreds would take a good part of a second. */
const MAX_NAME_STEPS = 48;

const MAX_LABEL_LENGTH = 63;

/** What a label's length would be in two bytes that are a pointer instead. */
const POINTER_MARK = 0xc0;

const POINTER_REACH = 0x4000;

/** Writes a question, with EDNS. */
export function questionToBytes(id: number, name: string, type: DnsRecordType): Uint8Array {
  return encode({
    type: "query",
    id,
    flags: RECURSION_DESIRED,
    questions: [{ type, name, class: "IN" }],
    additionals: [
      {
        type: "OPT",
        name: ".",
        udpPayloadSize: MAX_DATAGRAM_BYTES,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
}

/**
 * Tells whether bytes are the reply to a question: the same id, the same question but for the case of its letters. One
 * that only says that it failed need not repeat the question.
 */
export function isReplyTo(question: Uint8Array, bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES) return false;
  const [asked, said] = [viewOf(question), viewOf(bytes)];
  const flags = said.getUint16(2);
  // A response (its first bit), of the kind "query" (the four bits behind).
  if (said.getUint16(0) !== asked.getUint16(0) || flags >> 11 !== 0b10000) return false;
  const questions = said.getUint16(4);
  if (questions === 0) return (flags & 0xf) !== 0;
  return questions === 1 && sameQuestion(question, bytes);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The question ends where the record for EDNS begins, whose 11 bytes are the last ones. */
function sameQuestion(question: Uint8Array, bytes: Uint8Array): boolean {
  const end = question.length - 11;
  if (bytes.length < end) return false;
  for (let at = HEADER_BYTES; at < end; at++) {
    if (lowerCase(question[at]) !== lowerCase(bytes[at])) return false;
  }
  return true;
}

/** Does no harm to lengths and types: those of a question are below 64. */
function lowerCase(byte = 0): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

/**
 * Reads a reply.
 *
 * @throws DiscoveryError `UPSTREAM_MALFORMED`
 */
export function replyFromBytes(bytes: Uint8Array): DnsReply {
  if (hasLongName(bytes)) {
    throw servingError(
      "UPSTREAM_MALFORMED",
      `the answer has a name of more than ${MAX_NAME_STEPS} labels and pointers`,
    );
  }
  try {
    const message = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return {
      code: (bytes[3] ?? 0) & 0xf,
      vouches: message.flag_aa || message.flag_ra,
      truncated: message.flag_tc,
      answers: (message.answers ?? []).flatMap(recordsOf),
      additionals: (message.additionals ?? []).flatMap(recordsOf),
    };
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw servingError("UPSTREAM_MALFORMED", `the answer is no DNS message: ${what}`, { cause });
  }
}

/**
 * Looks at every place that a pointer can point to as if a name began there; that data look like a long name by chance is
 * as good as impossible. A pointer goes back from where its part of the name began, so what it leads to is known already.
 */
function hasLongName(bytes: Uint8Array): boolean {
  const steps = new Uint8Array(Math.min(bytes.length, POINTER_REACH));
  for (let start = 0; start < steps.length; start++) {
    let count = 0;
    for (let at = start; count <= MAX_NAME_STEPS; count++) {
      const byte = bytes[at] ?? 0;
      if (byte === 0 || (byte > MAX_LABEL_LENGTH && byte < POINTER_MARK)) break;
      if (byte >= POINTER_MARK) {
        const to = ((byte - POINTER_MARK) << 8) | (bytes[at + 1] ?? 0);
        count += 1 + (to < start ? (steps[to] ?? 0) : 0);
        break;
      }
      at += byte + 1;
    }
    if (count > MAX_NAME_STEPS) return true;
    steps[start] = count;
  }
  return false;
}

function recordsOf(answer: Answer): readonly DnsRecord[] {
  if (answer.type === "OPT" || !("ttl" in answer) || answer.class !== "IN") return [];
  const { ttl = 0 } = answer;
  const name = comparableName(answer.name);
  const ttlSeconds = ttl > MAX_TTL_SECONDS ? 0 : ttl;
  switch (answer.type) {
    case "A":
    case "AAAA":
    case "CNAME":
      return [{ type: answer.type, name, ttlSeconds, data: answer.data }];
    case "SRV": {
      const { priority = 0, weight = 0, port, target } = answer.data;
      return [{ type: "SRV", name, ttlSeconds, data: { priority, weight, port, target } }];
    }
    default:
      return [];
  }
}
