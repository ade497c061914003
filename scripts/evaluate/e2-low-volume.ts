import { runTunnel, type TunnelSettings } from '../../src/generate/attacks/tunnel.ts';
import { TYPE } from '../../src/generate/records.ts';
import type { ScenarioDefinition } from '../../src/generate/scenario.ts';
import type { Experiment, Figure } from './experiment.ts';
import { answerTo, type Judged, judgeGenerated } from './judged.ts';
import { registrable } from '../../src/enrich/public-suffix.ts';
import { hashName, nameText } from '../../src/wire/name.ts';
import type { TransactionBatch } from '../../src/core/transactions.ts';
import { median, share, wilson } from './statistics.ts';

const RATES = [0.7, 1, 3, 10, 100];
const SIZES = [200, 512, 1000, 3000, 10_000, 30_000];
const ENCODINGS = ['hex', 'base32', 'base64', 'words'] as const;
/** The size from which a transfer has to be noticed within itself. */
const LEAST = 512;

/** One tunnel for every setting, each by a client of its own, a minute apart. */
function many(settings: readonly TunnelSettings[]): ScenarioDefinition {
  return {
    name: 'many-tunnels',
    summary: '',
    detectors: [],
    start(stage, from) {
      settings.forEach((one, i) => runTunnel(stage, stage.clients[i % stage.clients.length], from + i * 60, one, 'E2'));
    },
  };
}

function perturbed(rate: number, total: number): TunnelSettings[] {
  return ENCODINGS.flatMap((encoding) =>
    (['first', 'last'] as const).flatMap((position) =>
      [12, 48].map((chunk) => ({
        encoding,
        position,
        chunk,
        rate,
        jitter: chunk === 12 ? 1 : 0.3,
        total,
        type: TYPE.A,
        answerBytes: 4,
      })),
    ),
  );
}

const HEADER = 12;
/** At most this share of domains may be taken for a tunnel (ibHH). */
const MOST_WRONG = 0.004;

/** Counts the registrable domains that are asked for. */
class Domains {
  readonly known = new Set<string>();
  /** By hash of the name: most are asked again and again. */
  readonly #names = new Set<number>();

  readonly add = ({ arena, col, count }: TransactionBatch): void => {
    for (let i = 0; i < count; i++) {
      const at = col.queryAt[i];
      if (col.queryLength[i] <= HEADER || this.#names.has(col.nameHash[i])) continue;
      this.#names.add(hashName(arena, at + HEADER, at));
      const { domain } = registrable(nameText(arena, at + HEADER, at).toLowerCase());
      if (domain !== null) this.known.add(domain);
    }
  };
}

/** Without hints of low severity. */
function alerts<T extends Judged>(judged: T): T {
  return { ...judged, findings: judged.findings.filter(({ severity }) => severity !== 'low') };
}

export const lowVolume: Experiment = {
  id: 'E2',
  title: 'Tunnels: slow ones, and single small transfers',
  method:
    'Generated, among 60 ordinary clients: 4 encodings, data first or last, 12 or 48 characters a query, even or by chance; each rate 8 kB for up to 4 hours; each size once, at 120 B/s. All in names under one domain, answers are addresses.',
  async run() {
    const figures: Figure[] = [];
    const asked = new Domains();
    const wrong = new Set<string>();
    for (const rate of RATES) {
      const total = Math.min(8192, rate * 4 * 3600);
      const { labels, ...judged } = alerts(
        judgeGenerated({ seed: 21, clients: 60, days: 1 }, [many(perturbed(rate, total))], undefined, asked.add),
      );
      const tunnels = new Set(labels.map(({ subject }) => subject));
      for (const { detector, domain } of judged.findings) {
        if (detector.startsWith('TUN-') && domain !== undefined && !tunnels.has(domain)) wrong.add(domain);
      }
      for (const tunnel of tunnels) asked.known.delete(tunnel);
      const answers = labels
        .map((label) => answerTo(label, judged)?.time)
        .map((time, i) => (time === undefined ? undefined : time - labels[i].from));
      const found = answers.filter((time) => time !== undefined);
      figures.push({
        what: `${rate} B/s: noticed`,
        value: `${share(found.length, labels.length)}${found.length > 0 ? `, median after ${(median(found) * rate).toFixed(0)} B` : ''}`,
        ...(rate === 0.7 && {
          aim: 'down to 0.7 B/s',
          isMet: found.length >= labels.length * 0.9,
          anchor: 'ibHH (Ozery 2023): ≥ 0.7 B/s at < 0.4 % of domains',
        }),
      });
    }
    const { known } = asked;
    figures.push({
      what: `the same days: ${known.size.toLocaleString('en')} other domains, taken for tunnels`,
      value: share(wrong.size, known.size),
      aim: '< 0.4 %',
      isMet: wilson(wrong.size, known.size).high < MOST_WRONG,
      anchor: 'ibHH (Ozery 2023): < 0.4 %; > 8 names (anomalous-dns): 25 of 591 organic domains',
    });
    for (const total of SIZES) {
      const settings = perturbed(120, total);
      const { labels, ...judged } = alerts(judgeGenerated({ seed: 22, clients: 60, days: 1 }, [many(settings)]));
      // Within the transfer: the last of its queries counts.
      const found = labels.filter(
        (label) => (answerTo(label, judged)?.time ?? Number.POSITIVE_INFINITY) <= label.to + 30,
      );
      figures.push({
        what: `single transfer of ${total} B: noticed within it`,
        value: share(found.length, labels.length),
        ...(total >= LEAST && { aim: 'all from 512 B on', isMet: found.length === labels.length }),
        anchor: total >= 1024 ? '1,024 B line: noticed' : '1,024 B line: missed',
      });
    }
    return figures;
  },
};
