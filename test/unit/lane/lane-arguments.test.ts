import { describe, expect, it } from "vitest";
import { laneArguments } from "../../../src/lane/lane-arguments.js";

describe("laneArguments", () => {
  it("names the module, then says what the host was told", () => {
    const argv = ["/bin/node", "/app/main.js", "--port", "1"];
    expect(laneArguments("file:///app/model%20a.js", argv)).toEqual([
      "/app/model a.js",
      "--port",
      "1",
    ]);
  });
});
