import { UpstreamServiceDefinition } from "inferwire/proto";
import { createServer, ServerError, type ServiceImplementation, Status } from "nice-grpc";
import { afterEach } from "vitest";

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const nothing = (): never => {
  throw new ServerError(Status.UNIMPLEMENTED, "the test has no answer");
};

/**
 * Starts a directory on a free port that answers what a test says, whatever that is; closed after the test.
 *
 * @returns its port
 */
export async function startStrangeDirectory(
  answers: Partial<ServiceImplementation<typeof UpstreamServiceDefinition>>,
): Promise<number> {
  const server = createServer();
  server.add(UpstreamServiceDefinition, {
    listServices: nothing,
    listUpstreams: nothing,
    watchUpstreams: nothing,
    register: nothing,
    keepAlive: nothing,
    deregister: nothing,
    setWeight: nothing,
    setTraffic: nothing,
    ...answers,
  });
  const port = await server.listen("127.0.0.1:0");
  closing.push(() => server.forceShutdown());
  return port;
}
