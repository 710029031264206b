/** What a failed connection says; Node's error for a name with several addresses has no text of its own. */
export function connectionErrorText(error: Error): string {
  if (!(error instanceof AggregateError) || error.message !== "") return error.message;
  const causes = error.errors.map((cause) => (cause instanceof Error ? cause.message : ""));
  return causes.filter(Boolean).join(", ");
}
