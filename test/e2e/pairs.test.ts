import { createMemoryPair, createPair } from "inferwire/testing";
import { testPair } from "./pair-suite.js";

testPair({ name: "createPair", create: createPair });
testPair({ name: "createMemoryPair", create: createMemoryPair });
