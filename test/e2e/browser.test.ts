import {
  type HostOptions,
  implement,
  type ProcessorHost,
  ServerError,
  Status,
} from "inferwire/host";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ChatServiceDefinition } from "../../examples/chat/gen/chat/v1/chat.js";
import { descriptorSet } from "../../examples/chat/gen/descriptor-set.js";
import type { Answered, Asked, Library } from "../browser/calls.js";
import { createCertificates } from "../support/certificates.js";
import { browserNote, launchChromium, withoutBrowser } from "../support/chromium.js";
import { recordingLogger } from "../support/recording-logger.js";
import { until } from "../support/until.js";
import { serveWebPage } from "../support/web-page.js";

const TOKEN = "c2VjcmV0";
const PING = "/api/builtin/ping";
const MEBIBYTE = 1_048_576;

/** What became of the handlers that wait. */
interface Waited {
  readonly remainingMs: number;
  reason?: unknown;
}

let browser: Browser;
let allowedOrigin: string;
let page: Page;
let strangePage: Page;
const hosts = new Map<string, ProcessorHost>();
const closing: (() => Promise<void>)[] = [];
const waited: Waited[] = [];
const asked: string[] = [];
/** What the page said that it had received. */
const received: string[] = [];
const consoleErrors: string[] = [];

function abortOf(signal: AbortSignal, remainingMs: number): Promise<never> {
  const wait: Waited = { remainingMs };
  waited.push(wait);
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => {
      wait.reason = (signal.reason as { reason: string }).reason;
      reject(signal.reason);
    });
  });
}

function startHost(options: HostOptions): Promise<ProcessorHost> {
  const { logger } = recordingLogger();
  const refuse = (): never => {
    throw new ServerError(Status.FAILED_PRECONDITION, "not now, naïve ☃");
  };
  return implement(
    ChatServiceDefinition,
    {
      async complete({ prompt }, call) {
        asked.push(prompt);
        if (prompt === "refuse") refuse();
        if (prompt === "wait") await abortOf(call.signal, call.remainingMs());
        call.header.set("x-head", call.metadata.get("x-asked") ?? "nothing");
        call.trailer.set("x-tail", "late");
        return { text: prompt };
      },
      async *chat({ prompt }, call) {
        asked.push(prompt);
        for (const token of prompt.split(" ")) {
          if (token === "refuse") refuse();
          if (token === "wait") await abortOf(call.signal, call.remainingMs());
          yield { token };
          // The next one goes out only when the page has this one.
          await until(() => received.includes(token) || call.signal.aborted);
        }
        call.trailer.set("x-tail", "late");
      },
    },
    {
      ...{ descriptorSet, endpoint: "127.0.0.1:0", logger, token: TOKEN },
      // In base64, 1 MiB is more.
      maxMessageBytes: 2 * MEBIBYTE,
      limits: { maxJsonBytes: 2 * MEBIBYTE },
      ...options,
    },
  ).start();
}

async function openPage(url: string): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const opened = await context.newPage();
  opened.on("console", (message) => {
    if (message.type() === "error") consoleErrors.push(message.text());
  });
  opened.on("pageerror", (error) => consoleErrors.push(String(error)));
  await opened.exposeFunction("received", (text: string) => {
    received.push(text);
  });
  await opened.goto(url);
  return opened;
}

/** What the browser says of a call that a page may not make: twice, and not at once. */
async function untilBlocked(): Promise<void> {
  await until(() => consoleErrors.length === 2);
  expect(consoleErrors.splice(0).toSorted()).toEqual([
    expect.stringContaining("blocked by CORS policy"),
    "Failed to load resource: net::ERR_FAILED",
  ]);
}

beforeAll(async () => {
  if (withoutBrowser) return;
  browser = await launchChromium();
  closing.push(() => browser.close());
  const webPage = await serveWebPage("calls.ts");
  closing.push(() => webPage.close());
  allowedOrigin = webPage.origin;
  const cors = { origins: [allowedOrigin], allowHeaders: ["x-asked"] };
  const { server: tls } = createCertificates();
  for (const [name, options] of [
    ["http", { cors }],
    ["https", { cors, tls }],
    ["http for all", { cors: { origins: "*" } }],
    ["http with cookies", { cors: { ...cors, credentials: true } }],
  ] as const) {
    const host = await startHost(options);
    closing.push(() => host.close({ gracePeriodMs: 0 }));
    hosts.set(name, host);
  }
  page = await openPage(allowedOrigin);
  strangePage = await openPage(webPage.strangeOrigin);
});

afterAll(async () => {
  for (const close of closing) await close();
});

beforeEach(() => {
  for (const list of [waited, asked, received, consoleErrors]) list.length = 0;
});

afterEach(() => {
  expect(consoleErrors).toEqual([]);
});

const schemes = ["http", "https"] as const;
const libraries: readonly Library[] = [
  "nice-grpc-web",
  "connect-web, JSON",
  "connect-web, binary",
  "connect-web as gRPC-Web",
  "grpc-web, text",
];
const rows = schemes.flatMap((scheme) => libraries.map((library) => ({ scheme, library })));

const addressOf = (name: string): string =>
  `${name.startsWith("https") ? "https" : "http"}://127.0.0.1:${hosts.get(name)?.address.port}`;

function askOn(from: Page, call: Omit<Asked, "address">, host: string): Promise<Answered> {
  const headers = { authorization: `Bearer ${TOKEN}`, ...call.headers };
  const all = { ...call, address: addressOf(host), headers };
  return from.evaluate((asked) => globalThis.ask(asked), all);
}

describe.skipIf(withoutBrowser)(`Chromium${browserNote}`, () => {
  describe.each(rows)("$library over $scheme", ({ scheme, library }) => {
    const ask = (call: Omit<Asked, "address" | "library">, from = page): Promise<Answered> =>
      askOn(from, { library, ...call }, scheme);
    const cancel = () => page.evaluate(() => globalThis.cancel());
    const ended = async (call: Promise<Answered>) => (await call).failure;
    /** Connect answers unary errors with HTTP's own, and Chromium tells of each. */
    const expectLoadError = (status: number): void => {
      if (!/^connect-web, /.test(library)) return;
      expect(consoleErrors.splice(0)).toEqual([expect.stringContaining(`a status of ${status}`)]);
    };

    it("calls a unary method, with metadata both ways", async () => {
      const call = { method: "complete", prompt: "naïve ☃", headers: { "x-asked": "me" } } as const;
      expect(await ask(call)).toMatchObject({
        texts: ["naïve ☃"],
        metadata: { "x-head": "me", "x-tail": "late" },
      });
    });

    it("gets the messages of a stream one by one", async () => {
      const answer = await ask({ method: "chat", prompt: "a b c" });
      expect(answer).toMatchObject({ texts: ["a", "b", "c"], metadata: { "x-tail": "late" } });
    });

    it("gets 1 MiB, as it sent it", async () => {
      const prompt = "0123456789abcdef".repeat(MEBIBYTE / 16);
      const { texts, failure } = await ask({ method: "complete", prompt });
      expect(failure).toBeUndefined();
      expect(texts[0] === prompt).toBe(true);
      expect((await ask({ method: "chat", prompt })).texts[0] === prompt).toBe(true);
    });

    it("reads the code, the text and the reason of an error", async () => {
      const failure = { code: Status.FAILED_PRECONDITION, message: "not now, naïve ☃" };
      const metadata = { "inferwire-reason": "CALL_FAILED" };
      expect(await ask({ method: "complete", prompt: "refuse" })).toMatchObject({
        failure,
        metadata,
      });
      expectLoadError(400);
      expect(await ask({ method: "chat", prompt: "a refuse" })).toMatchObject({
        texts: ["a"],
        failure,
        metadata,
      });
    });

    it("is told that its token is wrong", async () => {
      const headers = { authorization: "Bearer wrong" };
      const failure = await ended(ask({ method: "complete", prompt: "a", headers }));
      expect([failure?.code, asked]).toEqual([Status.UNAUTHENTICATED, []]);
      expectLoadError(401);
    });

    it("is told why even when its message is too large to be read", async () => {
      const prompt = "x".repeat(4 * MEBIBYTE);
      const tooLarge = await ended(ask({ method: "complete", prompt }));
      expect(tooLarge?.code).toBe(Status.RESOURCE_EXHAUSTED);
      const headers = { authorization: "Bearer wrong" };
      const refused = await ended(ask({ method: "complete", prompt, headers }));
      expect(refused?.code).toBe(Status.UNAUTHENTICATED);
      expect(asked).toEqual([]);
      consoleErrors.length = 0;
    });

    it("sends its deadline, which ends the processor's work", async () => {
      const call = { prompt: "wait", timeoutMs: 1_000 };
      const unary = ended(ask({ method: "complete", ...call }));
      const stream = ended(ask({ method: "chat", ...call }));
      const codes = [(await unary)?.code, (await stream)?.code];
      expect(codes).toEqual([Status.DEADLINE_EXCEEDED, Status.DEADLINE_EXCEEDED]);
      await until(() => waited.filter(({ reason }) => reason !== undefined).length === 2);
      expect(Math.max(...waited.map(({ remainingMs }) => remainingMs))).toBeLessThanOrEqual(1_000);
      consoleErrors.length = 0;
    });

    it("cancels, which the processor sees", async () => {
      for (const [method, prompt] of [
        ["complete", "wait"],
        ["chat", "a wait"],
      ] as const) {
        waited.length = 0;
        const call = ended(ask({ method, prompt }));
        await until(() => waited.length === 1);
        await cancel();
        expect(await call).toBeDefined();
        await until(() => waited[0]?.reason !== undefined);
        expect(waited[0]?.reason).toBe("CANCELLED");
      }
    });

    it("is kept from the host on a page of an origin that is not allowed", async () => {
      const failure = await ended(ask({ method: "complete", prompt: "a" }, strangePage));
      expect([failure === undefined, asked]).toEqual([false, []]);
      await untilBlocked();
    });
  });

  describe("with nice-grpc-web", () => {
    const library = "nice-grpc-web";

    it("ends what is under way for a page that is closed", async () => {
      const closed = await openPage(allowedOrigin);
      const call = askOn(closed, { library, method: "chat", prompt: "a wait" }, "http");
      const outcome = call.catch(() => "gone");
      await until(() => waited.length === 1);
      await closed.close();
      expect(await outcome).toBe("gone");
      await until(() => waited[0]?.reason === "CANCELLED");
    });

    it("lets every page call where every origin is allowed", async () => {
      const call = { library, method: "complete", prompt: "a" } as const;
      const metadata = { "x-head": "nothing", "x-tail": "late" };
      for (const from of [page, strangePage]) {
        expect(await askOn(from, call, "http for all")).toMatchObject({ texts: ["a"], metadata });
      }
    });

    it("lets a page call with cookies only where they are allowed", async () => {
      const call = { library, method: "complete", prompt: "a", credentials: true } as const;
      const metadata = { "x-head": "nothing", "x-tail": "late" };
      const answer = await askOn(page, call, "http with cookies");
      expect(answer).toMatchObject({ texts: ["a"], metadata });
      expect((await askOn(page, call, "http")).texts).toEqual([]);
      await untilBlocked();
    });
  });

  it("keeps pages from the builtins, whatever their origin", async () => {
    const address = addressOf("http for all");
    const read = page.evaluate((url) => fetch(url).then((answer) => answer.text()), address + PING);
    await expect(read).rejects.toThrow("Failed to fetch");
    await untilBlocked();
    const term = `${address}/api/builtin/term`;
    await page.evaluate(
      (url) => fetch(url, { method: "POST", mode: "no-cors" }).then(() => {}),
      term,
    );
    consoleErrors.length = 0;
    expect((await fetch(`${address}/readyz`)).status).toBe(200);
  });
});
