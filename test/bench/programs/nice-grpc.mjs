// The same echo on bare nice-grpc, with pino for its log.
import { PredictServiceDefinition } from "inferwire/proto";
import { createServer } from "nice-grpc";
import { pino } from "pino";

const logger = pino();
const server = createServer();
server.add(PredictServiceDefinition, {
  predict: async (request) => ({ data: request.data, status: 0 }),
  async *predictStream() {},
});
const port = await server.listen("127.0.0.1:0");
logger.info({ port }, "service started");
process.send({ port });
