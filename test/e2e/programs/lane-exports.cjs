// A CommonJS module whose processor is an instance.
exports.processor = { process: () => Buffer.from("from CommonJS") };
