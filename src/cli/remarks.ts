import type { LogCounts } from '../app/detect-files.ts';
import type { RunResult } from '../app/plan.ts';
import { FATE, type Ledger } from '../core/ledger.ts';
import { numberText, plainText } from '../core/figures.ts';

/** A remark on standard error, apart from the data. */
export function remark(text: string): void {
  process.stderr.write(`nametap: ${text}\n`);
}

/** Tells where captures were cut or corrupt, and what could not be read; `kept` says what became of what came before. */
export function remarkDamage({ damage, unreadable, refused = 0 }: RunResult, kept: string): void {
  for (const { file, offset, reason } of damage) {
    const where = file === '-' ? 'standard input' : plainText(file);
    remark(`${where}: ${plainText(reason)} at byte ${offset}${offset === 0 ? '' : `; ${kept}`}`);
  }
  if (unreadable > 0) remark(`${numberText(unreadable)} dnstap payloads held no readable message and were passed over`);
  if (refused > 0)
    remark(`${numberText(refused)} dnstap senders were turned away: too many were connected, or they never began`);
}

/** Tells what of logs was of no use. */
export function remarkLogs(logs: readonly LogCounts[]): void {
  for (const { path, format, bad, firstBad, unasked } of logs) {
    const log = `${plainText(path)} (${format})`;
    if (firstBad !== undefined) {
      const { line, reason } = firstBad;
      const first = `the first is line ${numberText(line)}: ${plainText(reason)}`;
      remark(`${log}: ${numberText(bad)} lines were of no use; ${first}`);
    }
    if (unasked > 0) remark(`${log}: ${numberText(unasked)} answers were passed over: it does not have their queries`);
  }
}

/** `1,234 packets captured, 1,200 messages decoded, 3 malformed, 0 lost`: for people, and for scripts that watch. */
export function countsText(ledger: Ledger): string {
  const lost = ledger.frames[FATE.kernel] + ledger.frames[FATE.interface];
  const parts = [
    `${numberText(ledger.received - lost)} packets captured`,
    `${numberText(ledger.decoded)} messages decoded`,
    `${numberText(ledger.faults)} malformed`,
  ];
  if (ledger.cut > 0) parts.push(`${numberText(ledger.cut)} cut`);
  const sampled = ledger.frames[FATE.sampled];
  if (sampled > 0) parts.push(`${numberText(sampled)} left out by sampling`);
  const evicted = ledger.frames[FATE.fragment_evicted] + ledger.frames[FATE.stream_evicted];
  if (evicted > 0) parts.push(`${numberText(evicted)} given up`);
  parts.push(`${numberText(lost)} lost`);
  return parts.join(', ');
}
