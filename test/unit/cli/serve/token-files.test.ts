import { expect, it } from "vitest";
import { followTokenFile } from "../../../../src/cli/serve/token-files.js";
import { silentLogger } from "../../../../src/core/ports.js";
import { servingError } from "../../../../src/core/serving-error.js";
import { createFakeClock } from "../../../support/fake-clock.js";

const LOOK_MS = 2_000;
const OVERLAP_MS = 60_000;

function followed() {
  const clock = createFakeClock();
  const warnings: string[] = [];
  const warn = (_fields: object, message: string): void => void warnings.push(message);
  const logger = { ...silentLogger, warn };
  const used: (readonly string[])[] = [];
  let file: string | Error = "a";
  const read = () => {
    if (file instanceof Error) throw file;
    return file;
  };
  const variable = {
    variable: "INFERWIRE_TOKEN_FILE",
    option: "token",
    part: undefined,
    form: "file",
    read,
  } as const;
  const end = followTokenFile({ variable, text: "/token", where: "INFERWIRE_TOKEN_FILE" }, "a", {
    clock,
    logger,
    use: (tokens) => used.push(tokens),
  });
  return {
    clock,
    warnings,
    used,
    end,
    async holds(next: string | Error) {
      file = next;
      await clock.settle(LOOK_MS);
    },
  };
}

it("lets the token from before hold beside the new one for its time", async () => {
  const { clock, used, holds } = followed();
  await holds("a");
  expect(used).toEqual([]);
  await holds("b");
  expect(used).toEqual([["b", "a"]]);
  await clock.settle(OVERLAP_MS - 1);
  expect(used).toHaveLength(1);
  await clock.settle(1);
  expect(used.slice(1)).toEqual([["b"]]);
});

it("gives each of several tokens its whole time", async () => {
  const { clock, used, holds } = followed();
  await holds("b");
  await holds("c");
  expect(used.at(-1)).toEqual(["c", "b", "a"]);
  await clock.settle(OVERLAP_MS - LOOK_MS);
  expect(used.at(-1)).toEqual(["c", "b"]);
  await clock.settle(LOOK_MS);
  expect(used.at(-1)).toEqual(["c"]);
});

it("takes back a token that comes again", async () => {
  const { clock, used, holds } = followed();
  await holds("b");
  await holds("a");
  expect(used.at(-1)).toEqual(["a", "b"]);
  await clock.settle(OVERLAP_MS);
  expect(used.at(-1)).toEqual(["a"]);
});

it("keeps what holds when the file cannot be read, and says so once", async () => {
  const { warnings, used, holds } = followed();
  const unreadable = servingError("INVALID_OPTION", "unreadable");
  await holds(unreadable);
  await holds(unreadable);
  expect(used).toEqual([]);
  expect(warnings).toEqual(["the token from before holds on"]);
  await holds("b");
  expect(used).toEqual([["b", "a"]]);
});

it("leaves no timer behind", async () => {
  const { clock, holds, end } = followed();
  await holds("b");
  end();
  expect(clock.pending()).toEqual([]);
});
