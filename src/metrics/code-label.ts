/** The name of a code as gRPC's Go metrics write it, which dashboards and alerts look for: `DeadlineExceeded`, `Canceled`. */
export function codeLabel(status: string): string {
  if (status === "OK") return status;
  if (status === "CANCELLED") return "Canceled";
  return status
    .split("_")
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join("");
}
