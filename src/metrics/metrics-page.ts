/** A page in Prometheus's text format. */
export interface MetricsPage {
  /** What it is to be served as. */
  readonly contentType: string;
  readonly text: string;
}
