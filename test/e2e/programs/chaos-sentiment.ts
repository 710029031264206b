// The processor of an example, a typed service in TypeScript, as chaos wants it named.
export { Sentiment as processor } from "../../../examples/sentiment/processor.js";
