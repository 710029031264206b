/**
 * The program of EAS's page on direct VPC connections: `predict.ts [ENDPOINT] [SERVICE] [COUNT]`, with the service's token in
 * the variable TOKEN. It finds the instances, then sends a million pictures straight to them.
 */
import { ENDPOINT_TYPE_DIRECT, PredictClient, TFRequest } from "inferwire/eas";

const [
  endpoint = "http://pai-eas-vpc.cn-shanghai.aliyuncs.com",
  service = "mnist_saved_model_example",
  count = "1000000",
] = process.argv.slice(2);

const client = new PredictClient(endpoint, service);
client.setToken(process.env["TOKEN"] ?? "M2FhNjJl****");
client.setEndpointType(ENDPOINT_TYPE_DIRECT);
await client.init();
const request = new TFRequest("predict_images");
request.addFeed("images", [1, 784], TFRequest.DT_FLOAT, new Float32Array(784).fill(1));
for (let i = 0; i < Number(count); i++) console.log(await client.predict(request));
await client.close();
