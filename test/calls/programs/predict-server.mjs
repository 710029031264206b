// grpc-js servers of PredictService that echo: `predict-server.mjs ADDRESS COUNT`. Says their ports, comma-separated; ends with its
// standard input.
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { PredictRequest, PredictResponse } from "inferwire/proto";

const [address, count] = process.argv.slice(2);
const predict = {
  path: "/inferwire.predict.v1.PredictService/Predict",
  requestStream: false,
  responseStream: false,
  requestSerialize: (message) => Buffer.from(PredictRequest.encode(message).finish()),
  requestDeserialize: (bytes) => PredictRequest.decode(bytes),
  responseSerialize: (message) => Buffer.from(PredictResponse.encode(message).finish()),
  responseDeserialize: (bytes) => PredictResponse.decode(bytes),
};
const listen = () =>
  new Promise((resolve, reject) => {
    const server = new Server({ "grpc.enable_channelz": 0 });
    server.addService(
      { predict },
      { predict: (call, done) => done(null, { data: call.request.data, status: 0 }) },
    );
    server.bindAsync(`${address}:0`, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
const ports = await Promise.all(Array.from({ length: Number(count) }, listen));
process.stdout.write(`${ports.join(",")}\n`);
process.stdin.on("end", () => process.exit()).resume();
