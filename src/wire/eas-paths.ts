/** Where a service of EAS is called, its name behind. */
export const PREDICT_PREFIX = "/api/predict/";
