import { spawn } from "node:child_process";
import { once } from "node:events";

/** How a child process went. */
export interface ChildRun {
  readonly code: number | null;
  readonly output: string;
  readonly durationMs: number;
}

/** Runs a script (ESM, the package by its name) in a Node process of its own; killed after `limitMs`. */
export function runScript(script: string, limitMs = 15_000): Promise<ChildRun> {
  const started = performance.now();
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: limitMs,
  });
  let output = "";
  child.stdout.on("data", (data) => {
    output += String(data);
  });
  child.stderr.on("data", (data) => {
    output += String(data);
  });
  return new Promise((resolve) => {
    child.on("close", (code) => {
      resolve({ code, output: output.trim(), durationMs: performance.now() - started });
    });
  });
}

const echoScript = `
  import { Server, ServerCredentials } from "@grpc/grpc-js";
  const bytes = (value) => value;
  const method = (path) => ({
    path, requestStream: false, responseStream: false,
    requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes,
  });
  const echo = (call, done) => setTimeout(() => done(null, call.request), 2);
  const server = new Server();
  server.addService({ pure: method("/test.Echo/Pure") }, { pure: echo });
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (_error, port) => console.log(port));
`;

/** An echo server in a process of its own, to be killed as a crash does. */
export interface EchoProcess extends AsyncDisposable {
  readonly port: number;
  crash(): void;
}

/** Starts an echo server that knows the method `pure`. */
export async function startEchoProcess(): Promise<EchoProcess> {
  const args = ["--input-type=module", "--eval", echoScript];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [line]: unknown[] = await once(child.stdout, "data");
  const crash = (): void => {
    child.kill("SIGKILL");
  };
  return { port: Number(String(line)), crash, [Symbol.asyncDispose]: async () => crash() };
}
