// Two hosts for other people's clients: cleartext and TLS, `hosts.mjs CERT KEY`. Prints one JSON line with their ports.
// Echoes; "status" answers with 418, "pieces" in three pieces, "throw" with a ServerError, "sleep" never.
import { readFileSync } from "node:fs";
import { BaseProcessor, ServerError, Status } from "inferwire/host";

class Probe extends BaseProcessor {
  process(data, call) {
    switch (Buffer.from(data.subarray(0, 16)).toString()) {
      case "status":
        return [Buffer.from("teapot"), 418];
      case "pieces":
        return pieces();
      case "throw":
        call.trailer.set("x-why", "asked to");
        throw new ServerError(Status.FAILED_PRECONDITION, "as asked: 100 % – ü");
      case "sleep":
        return new Promise(() => {});
      default:
        return data;
    }
  }
}

async function* pieces() {
  for (const piece of ["one", "two", "three"]) yield Buffer.from(piece);
}

const [cert, key] = process.argv.slice(2).map((file) => readFileSync(file));
const options = {
  endpoint: "127.0.0.1:0",
  token: "interop",
  open: ["health", "metrics", "reflection"],
  service: "probe",
  logLevel: "silent",
};
const clear = await new Probe(options).start();
const secure = await new Probe({ ...options, tls: { cert, key } }).start();
console.log(JSON.stringify({ clear: clear.address.port, secure: secure.address.port }));
