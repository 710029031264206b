import { describe, expect, it } from "vitest";
import { namedSecrets } from "../../../../src/cli/pack/named-secrets.js";

describe("namedSecrets", () => {
  it("lists the files of tokens and keys that variables name, and no others", () => {
    const env = {
      INFERWIRE_TOKEN_FILE: "run/t.txt",
      INFERWIRE_DIRECTORY_TOKEN_FILE: "/run/d",
      INFERWIRE_TLS_KEY_FILE: "tls/server",
      INFERWIRE_TLS_CERT_FILE: "tls/chain",
      INFERWIRE_ADMIN_TOKEN_FILE: "",
      TOKEN_FILE: "other",
    };
    expect(namedSecrets(env, "/app")).toEqual(["/app/run/t.txt", "/run/d", "/app/tls/server"]);
  });
});
