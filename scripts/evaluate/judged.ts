import { loadConfig } from '../../src/app/config.ts';
import { judgeOf, popularDomains } from '../../src/app/judging.ts';
import { type Finding, SEVERITIES } from '../../src/core/alert.ts';
import type { Network } from '../../src/core/network.ts';
import type { TransactionBatch } from '../../src/core/transactions.ts';
import type { Judge } from '../../src/detect/judge.ts';
import { generate } from '../../src/generate/generate.ts';
import type { ScenarioDefinition } from '../../src/generate/scenario.ts';
import type { GenerateOptions, Label } from '../../src/generate/stage.ts';

/** Findings with the same detector and key: what an operator sees as one. */
export interface Incident {
  first: Finding;
  /** The worst severity that it had. */
  severity: number;
}

export const MEDIUM = SEVERITIES.indexOf('medium');

export interface Judged {
  judge: Judge;
  findings: Finding[];
  incidents: Map<string, Incident>;
}

/** A judge with the default limits: nothing is tuned to what it is shown. */
export function newJudge(only?: readonly string[], resolvers: readonly Network[] = []): Judged {
  const { config } = loadConfig({ environment: {}, file: '/dev/null' });
  // Which brands are protected nobody but the operator can say.
  const { detect } = config;
  const detectors = {
    ...detect.detectors,
    typo: { ...(detect.detectors.typo as object), brands: ['example-bank.com'] },
  };
  const findings: Finding[] = [];
  const incidents = new Map<string, Incident>();
  const judge = judgeOf(
    { ...detect, detectors },
    {
      networks: [{ family: 4, words: [0, 0, 0, 0x0a00_0000], bits: 8 }],
      resolvers,
      ...(only !== undefined && { only }),
      raise: (finding) => {
        findings.push(finding);
        const key = `${finding.detector} ${finding.key}`;
        const severity = SEVERITIES.indexOf(finding.severity);
        const known = incidents.get(key);
        if (known === undefined) incidents.set(key, { first: finding, severity });
        else known.severity = Math.max(known.severity, severity);
      },
    },
  );
  return { judge, findings, incidents };
}

/** The resolvers of the generated network. */
const RESOLVERS: readonly Network[] = [53, 54].map((host) => ({
  family: 4,
  words: [0, 0, 0, 0x0a00_0000 + host],
  bits: 32,
}));

/** Generated traffic, judged as it comes. */
export function judgeGenerated(
  options: Omit<GenerateOptions, 'popular'>,
  scenarios: readonly ScenarioDefinition[],
  only?: readonly string[],
  each?: (batch: TransactionBatch) => void,
): Judged & { labels: Label[]; rows: number } {
  const judged = newJudge(only, RESOLVERS);
  let rows = 0;
  const labels = generate({ ...options, popular: popularDomains({ popular: undefined }) }, scenarios, (batch) => {
    judged.judge.rows(batch, 0, batch.count);
    rows += batch.count;
    each?.(batch);
    return true;
  });
  return { ...judged, labels, rows };
}

/** The first finding that belongs to a label: a detector that should speak, about what it names, not before it began. */
export function answerTo(label: Label, { findings }: Pick<Judged, 'findings'>): Finding | undefined {
  return findings.find(
    (one) =>
      label.detectors.includes(one.detector) &&
      one.time >= label.from - 1 &&
      [one.subject, one.domain, one.client, one.server].some(
        (about) =>
          about !== undefined &&
          (about === label.subject || about === label.client || label.subject.endsWith(`.${about}`)),
      ),
  );
}

/** Hands every row of batches that are built elsewhere to a judge, one by one where `each` wants to count. */
export function judgeRows({ judge }: Judged, batch: TransactionBatch, each?: (i: number) => void): void {
  if (each === undefined) judge.rows(batch, 0, batch.count);
  else {
    for (let i = 0; i < batch.count; i++) {
      each(i);
      judge.rows(batch, i, i + 1);
    }
  }
}
