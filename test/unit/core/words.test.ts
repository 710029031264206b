import { describe, expect, it } from "vitest";
import { createBackoff } from "../../../src/core/backoff.js";
import { CallAbort } from "../../../src/core/call-abort.js";
import {
  bindEndpoint,
  connectEndpoint,
  isLoopback,
  parseEndpoint,
} from "../../../src/core/endpoint.js";
import { errorCatalog, isReason, type Reason } from "../../../src/core/error-catalog.js";
import {
  addressText,
  instanceOf,
  isServiceName,
  portProblem,
  weightProblem,
} from "../../../src/core/instance.js";
import {
  emptyMetadata,
  metadataOf,
  metadataText,
  NativeMetadataView,
} from "../../../src/core/metadata.js";
import { nearestName } from "../../../src/core/nearest.js";
import { checkNumber, fillOptions } from "../../../src/core/options.js";
import {
  CallError,
  ConfigError,
  HostError,
  isServingError,
  ServingError,
  servingError,
} from "../../../src/core/serving-error.js";
import { httpFromStatus, Status, statusFromCode, statusName } from "../../../src/core/status.js";

describe("parseEndpoint", () => {
  const good: readonly [string, string, number][] = [
    ["127.0.0.1:80", "127.0.0.1", 80],
    [":8080", "", 8080],
    ["[::1]:0", "::1", 0],
    ["host-1.local:65535", "host-1.local", 65_535],
  ];
  for (const [text, host, port] of good) {
    it(`reads ${text}`, () => expect(parseEndpoint(text)).toEqual({ host, port }));
  }
  for (const text of [
    "",
    "80",
    "host",
    "host:",
    "host:65536",
    "::1:80",
    "[::1]",
    "[abc]:1",
    "a b:1",
    "h:1/x",
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => expect(parseEndpoint(text)).toBeUndefined());
  }
  it("names the option and the forms", () => {
    expect(() => bindEndpoint("nope", "options.endpoint")).toThrow(
      /options\.endpoint is "nope", expected/,
    );
    expect(() => connectEndpoint("host:0", "options.directory")).toThrow(ConfigError);
    expect(() => connectEndpoint(":80", "options.directory")).toThrow(ConfigError);
  });
});

describe("isLoopback", () => {
  it("knows this machine's own addresses and no others", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost", "::ffff:127.0.0.1"]) {
      expect([host, isLoopback(host)]).toEqual([host, true]);
    }
    for (const host of ["", "0.0.0.0", "10.0.0.1", "127.0.0.1.evil.example", "::"]) {
      expect([host, isLoopback(host)]).toEqual([host, false]);
    }
  });
});

describe("instances", () => {
  it("have a key of their address, and fill name and weight", () => {
    expect(instanceOf({ host: "::1", port: 9 })).toEqual({
      key: "[::1]:9",
      name: "[::1]:9",
      host: "::1",
      port: 9,
      weight: 100,
      app: "",
    });
    expect(addressText("a", 1)).toBe("a:1");
  });

  it("refuse weights and ports that make no sense", () => {
    for (const weight of [
      -1,
      1e-310,
      0.99e-6,
      1_000_001,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      "1",
      null,
    ]) {
      expect(weightProblem(weight)).toMatch(/^weight is/);
    }
    for (const weight of [0, 1e-6, 0.5, 1_000_000]) expect(weightProblem(weight)).toBeUndefined();
    for (const port of [0, 65_536, 1.5, "80"]) expect(portProblem(port)).toMatch(/^port is/);
  });

  it("belong to services whose names are plain", () => {
    for (const name of ["mnist", "g.mnist", "A-1_b"]) expect(isServiceName(name)).toBe(true);
    for (const name of ["", ".", "a.b.c", "-a", "a/b", "../x", "ä", "a".repeat(300)]) {
      expect(isServiceName(name)).toBe(false);
    }
  });
});

describe("the error catalogue", () => {
  it("gives every reason a code, a meaning and advice", () => {
    for (const [reason, entry] of Object.entries(errorCatalog)) {
      expect(isReason(reason)).toBe(true);
      expect(entry.meaning).not.toBe("");
      expect(entry.advice).not.toBe("");
      expect(servingError(reason as Reason, "x").code).toBe(entry.code);
    }
    expect([isReason("toString"), isReason(undefined)]).toEqual([false, false]);
  });
});

describe("ServingError.from", () => {
  const named = (name: string): Error => Object.assign(new Error("said"), { name });
  const cases: readonly [string, unknown, string][] = [
    ["an error of the kit", servingError("QUEUE_FULL", "x"), "QUEUE_FULL"],
    ["its cause", new Error("outer", { cause: servingError("DRAINING", "x") }), "DRAINING"],
    ["an AbortError", named("AbortError"), "CANCELLED"],
    ["a TimeoutError", named("TimeoutError"), "DEADLINE_EXCEEDED"],
    [
      "a refused connection",
      Object.assign(new Error("x"), { code: "ECONNREFUSED" }),
      "CONNECT_FAILED",
    ],
    ["anything else", new Error("x"), "INTERNAL"],
    ["no error at all", "text", "INTERNAL"],
  ];
  for (const [name, thrown, reason] of cases) {
    it(`takes ${name} for ${reason}`, () => {
      const error = ServingError.from(thrown);
      expect(error.reason).toBe(reason);
      expect(isServingError(error)).toBe(true);
    });
  }

  it("survives causes that go round in a circle", () => {
    const circle = new Error("round");
    circle.cause = circle;
    expect(ServingError.from(circle).reason).toBe("INTERNAL");
  });

  it("makes the class that says who has to act", () => {
    expect(servingError("QUEUE_FULL", "x")).toBeInstanceOf(HostError);
    expect(servingError("CONNECT_FAILED", "x")).toBeInstanceOf(CallError);
    expect(servingError("CONNECT_FAILED", "x").name).toBe("CallError");
  });
});

describe("status tables", () => {
  it("name every code and take strange numbers for UNKNOWN", () => {
    expect(Object.entries(Status).map(([name, code]) => [name, statusName(code)])).toEqual(
      Object.keys(Status).map((name) => [name, name]),
    );
    expect([statusFromCode(99), statusFromCode(-1), statusFromCode(1.5)]).toEqual([2, 2, 2]);
    expect(Object.keys(httpFromStatus)).toEqual(Object.keys(Status));
  });
});

describe("options", () => {
  const defaults = { size: 1, name: "x" };

  it("are filled, undefined meaning the default", () => {
    expect(fillOptions({ size: undefined, name: "y" }, defaults, "options")).toEqual({
      size: 1,
      name: "y",
    });
  });

  it("refuse unknown names with the nearest known one, and what is no object", () => {
    expect(() => fillOptions({ siez: 1 } as never, defaults, "options")).toThrow(
      'options has no option "siez", did you mean "size"?',
    );
    expect(() => fillOptions([] as never, defaults, "options")).toThrow(/expected an object/);
  });

  it("refuse numbers out of range, saying what was seen", () => {
    const range = { min: 1, max: 5 };
    for (const value of [0, 6, 1.5, Number.NaN, "3" as never, Number.POSITIVE_INFINITY]) {
      expect(() => checkNumber(value, "options.n", range)).toThrow(
        /options\.n is .*expected an integer from 1 to 5/,
      );
    }
    expect(checkNumber(Number.POSITIVE_INFINITY, "n", { ...range, orInfinity: true })).toBe(
      Number.POSITIVE_INFINITY,
    );
  });
});

describe("nearestName", () => {
  it("finds slips of the finger and nothing far away", () => {
    const known = ["ping", "monitor", "term"];
    expect(nearestName("pign", known)).toBe("ping");
    expect(nearestName("MONITR", known)).toBe("monitor");
    expect(nearestName("zzzzzz", known)).toBeUndefined();
  });
});

describe("metadata", () => {
  it("is read by key and in order, whatever made it", () => {
    const made = metadataOf({ a: "1", "b-bin": new Uint8Array([1]) });
    expect([made.get("a"), metadataText(made, "b-bin"), emptyMetadata.get("a")]).toEqual([
      "1",
      undefined,
      undefined,
    ]);
    const view = new NativeMetadataView({
      get: (key) => (key === "k" ? ["x", "y"] : []),
      toJSON: () => ({ k: ["x", "y"] }),
    });
    expect([view.get("k"), [...view.entries()]]).toEqual([
      "x",
      [
        ["k", "x"],
        ["k", "y"],
      ],
    ]);
  });
});

describe("createBackoff", () => {
  it("grows to its limit, jittered, and starts over", () => {
    const backoff = createBackoff({ initialMs: 100, maxMs: 200 }, () => 0.5);
    expect([backoff.next(), backoff.next(), backoff.next()]).toEqual([100, 160, 200]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
    const low = createBackoff({ initialMs: 100, maxMs: 200 }, () => 0);
    expect(low.next()).toBeCloseTo(80);
  });
});

describe("CallAbort", () => {
  it("keeps the first reason and tells everybody once", () => {
    const abort = new CallAbort();
    const told: string[] = [];
    abort.onAbort((reason) => told.push(reason.message));
    const takeBack = abort.onAbort(() => told.push("taken back"));
    takeBack();
    abort.abort(servingError("CANCELLED", "first"));
    abort.abort(servingError("DRAINING", "second"));
    abort.onAbort((reason) => told.push(`late ${reason.message}`));
    expect(told).toEqual(["first", "late first"]);
    expect(abort.signal.reason).toBe(abort.reason);
  });
});
