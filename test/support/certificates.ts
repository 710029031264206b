import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate and its key, PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority of the test's own, with a server's and a client's certificate. */
export interface Certificates {
  readonly ca: string;
  readonly server: Certificate;
  readonly client: Certificate;
}

/** Makes certificates for `localhost` and 127.0.0.1 with the openssl program, in a folder that is removed again. */
export function createCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "inferwire-tls-"));
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  };
  const read = (file: string): string => readFileSync(join(folder, file), "utf8");
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const issue = (name: string): Certificate => {
    openssl(
      "req",
      ...newKey,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
    );
    openssl(
      ..."x509 -req -days 2 -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names.cnf".split(" "),
      ...["-in", `${name}.csr`, "-out", `${name}.pem`],
    );
    return { cert: read(`${name}.pem`), key: read(`${name}.key`) };
  };
  try {
    writeFileSync(join(folder, "names.cnf"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    openssl(
      ...["req", "-x509", "-days", "2", ...newKey, "-keyout", "ca.key", "-out", "ca.pem"],
      ...["-subj", "/CN=inferwire test authority"],
    );
    return { ca: read("ca.pem"), server: issue("server"), client: issue("client") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
