import { beforeEach, describe, expect, it } from "vitest";
import { instanceOf } from "../../../src/core/instance.js";
import { metadataOf } from "../../../src/core/metadata.js";
import { silentLogger } from "../../../src/core/ports.js";
import { ServingError } from "../../../src/core/serving-error.js";
import { createJsonDoor } from "../../../src/directory/json-door.js";
import { createMemoryStore } from "../../../src/directory/memory-store.js";
import type { DirectoryStore } from "../../../src/directory/store.js";
import type { HttpReply } from "../../../src/server/http.js";
import { errorReply } from "../../../src/server/http-errors.js";
import { SETTLE_MS } from "../../../src/wire/upstream.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";

const paths = [
  "/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/",
  "/api/v1/servicediscovery/upstreams/",
];

let store: DirectoryStore;
let clock: FakeClock;
let ready: boolean;

beforeEach(async () => {
  ready = true;
  clock = createFakeClock();
  store = createMemoryStore({ clock, logger: silentLogger });
  await add("a", 100);
  await add("b", 50);
});

async function add(name: string, weight: number, service = "mnist"): Promise<string> {
  const instance = instanceOf({
    name,
    host: "10.0.0.1",
    port: name.charCodeAt(0),
    weight,
    app: "x",
  });
  return (await store.register({ service, ttlMs: 10_000, holder: "", instance })).id;
}

/** Asks the door; what it throws is answered as the port does. */
function ask(
  path: string,
  more: { method?: string; headers?: Record<string, string>; reduceWeights?: boolean } = {},
): HttpReply {
  const { method = "GET", headers = {}, reduceWeights = false } = more;
  const replies: HttpReply[] = [];
  try {
    void createJsonDoor(store, { reduceWeights, ready: () => ready })({
      method,
      path,
      query: "internal=false",
      headers: metadataOf(headers),
      peer: "127.0.0.1:1",
      arrivedMs: 0,
      readBody: () => Promise.resolve(new Uint8Array()),
      reply: (reply) => replies.push(reply),
      replyInPieces: () => Promise.resolve(),
      onClose() {},
      breakOff() {},
    });
  } catch (thrown) {
    return errorReply(ServingError.from(thrown));
  }
  const [reply] = replies;
  if (reply === undefined) throw new Error("not answered");
  return reply;
}

describe("createJsonDoor", () => {
  it.each(paths)("answers %sNAME in EAS's form", (path) => {
    expect(ask(`${path}mnist`)).toMatchObject({
      status: 200,
      headers: { "content-type": "application/json; charset=utf-8" },
      body:
        '{"correlative":["mnist"],"endpoints":{"items":[' +
        '{"app":"x","ip":"10.0.0.1","port":97,"weight":100},' +
        '{"app":"x","ip":"10.0.0.1","port":98,"weight":50}]},"name":"mnist"}',
    });
  });

  it("publishes small weights when asked to", () => {
    expect(ask(`${paths[0]}mnist`, { reduceWeights: true }).body).toContain('"weight":2}');
  });

  it("answers 304 to whoever has the newest list, and only to them", async () => {
    const path = `${paths[1]}mnist`;
    const etag = ask(path).headers?.["etag"] ?? "";
    expect(etag).toMatch(/^"[\w.-]+"$/);
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const reply = ask(path, { headers: { "if-none-match": tag } });
      expect(reply).toMatchObject({ status: 304, headers: { etag } });
      expect(reply.body).toBeUndefined();
    }
    await add("c", 1);
    expect(ask(path, { headers: { "if-none-match": etag } }).status).toBe(200);
  });

  it("never answers 200 with an empty list", async () => {
    expect(ask(`${paths[0]}nobody`)).toMatchObject({ status: 404 });
    const id = await add("a", 1, "gone");
    await store.deregister(id);
    expect(ask(`${paths[0]}gone`)).toMatchObject({ status: 503 });
    await add("a", 0, "drained");
    expect(ask(`${paths[0]}drained`)).toMatchObject({ status: 503 });
    for (const path of ["nobody", "gone", "drained"]) {
      const { body } = ask(`${paths[0]}${path}`);
      expect(JSON.parse(String(body)).error.message).toContain(`"${path}"`);
    }
  });

  it("says that a list may be incomplete, also one of nobody, as long as it is not settled", async () => {
    await add("z", 0, "drained");
    const asked = ["mnist", "drained"].map((service) => `${paths[0]}${service}`);
    for (const path of asked) {
      expect(ask(path).headers?.["warning"]).toBe('199 - "List may be incomplete"');
    }
    clock.advance(SETTLE_MS);
    for (const path of asked) expect(ask(path).headers).not.toHaveProperty("warning");
  });

  it("answers HEAD like GET, and no other verb", () => {
    expect(ask(`${paths[0]}mnist`, { method: "HEAD" }).status).toBe(200);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      expect(ask(`${paths[0]}mnist`, { method })).toMatchObject({
        status: 405,
        headers: { allow: "GET, HEAD" },
      });
    }
  });

  it("refuses what cannot be a name", () => {
    for (const name of ["", "a/b", "a.b.c", "%20", "x".repeat(300)]) {
      expect(ask(`${paths[0]}${name}`).status).toBe(400);
    }
  });

  it("answers any other path with those that it knows", () => {
    const { status, body } = ask("/api/predict/mnist");
    expect(status).toBe(404);
    for (const path of [...paths, "/livez", "/readyz"]) expect(String(body)).toContain(path);
  });

  it("tells how it is", () => {
    expect(ask("/livez")).toMatchObject({ status: 200, body: "ok\n" });
    expect(ask("/readyz").status).toBe(200);
    ready = false;
    expect(ask("/livez").status).toBe(200);
    expect(ask("/readyz").status).toBe(503);
  });
});
