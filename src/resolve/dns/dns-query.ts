import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import type { Endpoint } from "../../core/endpoint.js";
import type { Clock } from "../../core/ports.js";
import { servingError } from "../../core/serving-error.js";
import {
  type DnsRecordType,
  type DnsReply,
  isReplyTo,
  questionToBytes,
  replyFromBytes,
} from "./dns-message.js";

/** One question to one server. */
export interface DnsQuestion {
  readonly server: Endpoint;
  readonly name: string;
  readonly type: DnsRecordType;
  /** For the answer in a datagram, and once more for the one over TCP when it does not fit into a datagram. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Gives it up, for its reason. */
  readonly signal: AbortSignal;
}

/** Asks one question. */
export type DnsAsk = (question: DnsQuestion) => Promise<DnsReply>;

/** A datagram may be lost; a second one costs nothing. */
const RESEND_MS = 700;

/** What arrives beside the reply: late ones, forged ones. More than so many are an attack. */
const MAX_STRAYS = 100;

const LENGTH_BYTES = 2;

/**
 * Asks over UDP, and over TCP when the reply is cut short. Sockets are made anew for each question, so that its port and
 * id are hard to guess, and keep no process alive.
 *
 * @throws ServingError `DEADLINE_EXCEEDED`, `UPSTREAM_MALFORMED`, what the socket failed with, or the signal's reason.
 */
export async function askDns(question: DnsQuestion): Promise<DnsReply> {
  const bytes = questionToBytes(randomInt(2 ** 16), question.name, question.type);
  const reply = await overUdp(question, bytes);
  if (!reply.truncated) return reply;
  const whole = await overTcp(question, bytes);
  if (!whole.truncated) return whole;
  throw servingError("UPSTREAM_MALFORMED", "the answer is cut short over TCP too");
}

/** How a question over a socket ends. */
interface Ending {
  /** A reply has arrived; what it says may be nonsense. */
  reply(bytes: Uint8Array): void;
  fail(error: unknown): void;
}

/** Ends as whatever comes first: a reply, an error, the time limit, the signal; then lets go of the socket. */
function limited(
  { timeoutMs, clock, signal }: DnsQuestion,
  begin: (ending: Ending) => () => void,
): Promise<DnsReply> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    let over = false;
    let letGo = (): void => {};
    const settle = (act: () => void): void => {
      if (over) return;
      over = true;
      cancelTimer();
      signal.removeEventListener("abort", abort);
      letGo();
      act();
    };
    const fail = (error: unknown): void => settle(() => reject(error));
    const abort = (): void => fail(signal.reason);
    const cancelTimer = clock.after(
      timeoutMs,
      () => fail(servingError("DEADLINE_EXCEEDED", `no answer within ${timeoutMs} ms`)),
      { background: true },
    );
    signal.addEventListener("abort", abort, { once: true });
    letGo = begin({
      fail,
      reply(bytes) {
        settle(() => {
          try {
            resolve(replyFromBytes(bytes));
          } catch (error) {
            reject(error);
          }
        });
      },
    });
  });
}

function overUdp(question: DnsQuestion, bytes: Uint8Array): Promise<DnsReply> {
  const { server, clock } = question;
  return limited(question, ({ reply, fail }) => {
    const socket = createSocket(isIPv6(server.host) ? "udp6" : "udp4");
    let strays = 0;
    const send = (): void => socket.send(bytes);
    let cancelResend = (): void => {};
    socket.on("error", fail);
    socket.on("message", (message) => {
      if (isReplyTo(bytes, message)) reply(message);
      else if (++strays > MAX_STRAYS) {
        fail(servingError("UPSTREAM_MALFORMED", `${strays} answers to other questions`));
      }
    });
    // Connected: the system drops datagrams from anybody else, and tells when nobody listens there.
    socket.on("connect", () => {
      send();
      cancelResend = clock.after(RESEND_MS, send, { background: true });
    });
    socket.connect(server.port, server.host);
    socket.unref();
    return () => {
      cancelResend();
      socket.close();
    };
  });
}

function overTcp(question: DnsQuestion, bytes: Uint8Array): Promise<DnsReply> {
  const { host, port } = question.server;
  return limited(question, ({ reply, fail }) => {
    const socket = connect({ host, port });
    let received = Buffer.alloc(0);
    socket.unref();
    socket.on("error", fail);
    socket.on("close", () => fail(servingError("CONNECTION_LOST", "closed without an answer")));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < LENGTH_BYTES) return;
      const end = LENGTH_BYTES + received.readUInt16BE(0);
      if (received.length < end) return;
      const message = received.subarray(LENGTH_BYTES, end);
      if (isReplyTo(bytes, message)) reply(message);
      else fail(servingError("UPSTREAM_MALFORMED", "an answer to another question"));
    });
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(bytes.length);
    socket.write(Buffer.concat([length, bytes]));
    return () => socket.destroy();
  });
}
