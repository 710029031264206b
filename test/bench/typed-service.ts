import { PredictRequest } from "inferwire/proto";

/** A typed service over a message of ts-proto's that has texts and bytes: the kit knows it no more than any user's. */
export const EchoServiceDefinition = {
  name: "EchoService",
  fullName: "bench.v1.EchoService",
  methods: {
    echoBytes: {
      name: "EchoBytes",
      requestType: PredictRequest as typeof PredictRequest,
      requestStream: false,
      responseType: PredictRequest as typeof PredictRequest,
      responseStream: false,
      options: {},
    },
    echoText: {
      name: "EchoText",
      requestType: PredictRequest as typeof PredictRequest,
      requestStream: false,
      responseType: PredictRequest as typeof PredictRequest,
      responseStream: false,
      options: {},
    },
  },
} as const;
