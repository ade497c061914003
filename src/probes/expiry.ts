/** What is wrong with a certificate that expires then (seconds since 1970) and has to hold so long; null when nothing. */
export function expiryProblem(expires: unknown, leftMs: number): string | null {
  if (typeof expires !== 'number' || Number.isNaN(expires) || leftMs === 0) return null;
  const left = expires * 1000 - Date.now();
  if (left >= leftMs) return null;
  if (left < 0) return 'the certificate has expired';
  const hours = Math.floor(left / 3_600_000);
  return `the certificate expires in ${hours >= 48 ? `${Math.floor(hours / 24)} days` : `${hours} hours`}`;
}
