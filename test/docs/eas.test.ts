import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { type Directory, startDirectory } from "inferwire/directory";
import * as eas from "inferwire/eas";
import { BaseProcessor, type ProcessorHost } from "inferwire/host";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeBlocks, pageText, tableBelow } from "../support/markdown.js";
import { signedVectors, VECTOR_DATE, VECTOR_TOKEN } from "../support/signed-vectors.js";
import { until } from "../support/until.js";

const run = promisify(execFile);
const page = pageText("docs/eas.md");
const shell = codeBlocks(page, "sh").map(({ code }) => code);
const signing = codeBlocks(page, "python").find(({ code }) => code.includes("def signed("));

async function has(command: string): Promise<boolean> {
  return run(command, [command === "openssl" ? "version" : "--version"]).then(
    () => true,
    () => false,
  );
}

const tools = await Promise.all(["bash", "curl", "python3", "openssl"].map(has));
const equipped = tools.every((there) => there);

class Upper extends BaseProcessor {
  override process(data: Uint8Array) {
    return Buffer.from(Buffer.from(data).toString().toUpperCase());
  }
}

const logger = { debug() {}, info() {}, warn() {}, error() {} };

let directory: Directory;
let host: ProcessorHost;

beforeAll(async () => {
  directory = await startDirectory({ endpoint: "127.0.0.1:0", logger });
  host = await new Upper({
    endpoint: "127.0.0.1:0",
    service: "demo",
    token: VECTOR_TOKEN,
    directory: `127.0.0.1:${directory.address.port}`,
    weight: 2,
    logger,
  }).start();
  // A host registers when it is ready, and does not wait for it.
  const { port } = directory.address;
  const list = `http://127.0.0.1:${port}/api/v1/servicediscovery/upstreams/demo`;
  await until(async () => (await fetch(list)).ok);
});

afterAll(async () => {
  await host.close();
  await directory.close();
});

describe("docs/eas.md", () => {
  it.runIf(equipped)(
    "has lines for a shell that call by the list, with the token and with a signature",
    async () => {
      const end = "\necho; echo --\n";
      const lines = shell
        .join(end)
        .replaceAll("127.0.0.1:8100", `127.0.0.1:${directory.address.port}`);
      const { stdout } = await run("bash", ["-euc", `${lines}${end}echo "$SIGNATURE"`]);
      const [list = "", called, signed, signature] = stdout
        .split("--\n")
        .map((part) => part.trim());
      const item = { app: "demo", ip: "127.0.0.1", port: host.address.port, weight: 2 };
      expect(JSON.parse(list)).toEqual({
        correlative: ["demo"],
        endpoints: { items: [item] },
        name: "demo",
      });
      expect([called, signed, signature]).toEqual(["HELLO", "HELLO", signedVectors[0]?.signature]);
    },
  );

  it.runIf(equipped)("has lines of Python that sign as EAS's SDKs do", async () => {
    // Java's digest, which it shortens, is nothing to imitate.
    const vectors = signedVectors.filter(({ contentMd5 }) => contentMd5.length === 32);
    const calls = vectors.map(
      ({ body, resource, contentType }) =>
        `print(signed(${[VECTOR_TOKEN, body, resource, VECTOR_DATE, contentType]
          .map((text, index) => (index === 1 ? "b" : "") + JSON.stringify(text))
          .join(", ")})["Authorization"])`,
    );
    const { stdout } = await run("python3", ["-c", [signing?.code, ...calls].join("\n")]);
    expect(stdout.trim().split("\n")).toEqual(vectors.map(({ signature }) => `EAS ${signature}`));
  });

  it("lists every class of request and no other, with methods that are there", () => {
    const rows = tableBelow(page, "## Requests");
    const known: Readonly<Record<string, unknown>> = { ...eas };
    const names = Object.keys(known).filter((name) => name.endsWith("Request"));
    expect(rows.map(([name = ""]) => name.slice(1, -1)).toSorted()).toEqual(names.toSorted());
    const methods = rows.flatMap(([cell = "", , ...cells]) => {
      const name = cell.slice(1, -1);
      const answer = name.replace(/Request$/, "Response");
      return cells.flatMap((text, index) =>
        [...text.matchAll(/`(\w+)\(/g)].map(
          ([, method = ""]) => [index === 0 ? name : answer, method] as const,
        ),
      );
    });
    expect(methods.length).toBeGreaterThan(rows.length);
    const missing = methods.filter(([name, method]) => {
      const given = known[name];
      return typeof given !== "function" || typeof given.prototype[method] !== "function";
    });
    expect(missing).toEqual([]);
  });

  it("tells of every habit of the SDKs, and names tests that exist", () => {
    const rows = tableBelow(page, "## What the SDKs do, and what is done about it");
    expect(rows.map(([number]) => Number(number))).toEqual(rows.map((_, index) => index + 1));
    const files = [...page.matchAll(/\]\(\.\.\/(test\/[^)]+)\)/g)].map(([, file = ""]) => file);
    expect(files.filter((file) => !existsSync(new URL(`../../${file}`, import.meta.url)))).toEqual(
      [],
    );
  });
});
