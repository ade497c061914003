import type { Experiment, Figure } from './experiment.ts';

export interface Result {
  experiment: Pick<Experiment, 'id' | 'title' | 'method'>;
  /** Undefined: it could not be run. */
  figures: Figure[] | undefined;
}

const HEAD = `# Evaluation

Written by \`npm run evaluate\`; \`npm run evaluate -- E4\` runs one experiment and writes its section anew. Thresholds are the
defaults, fixed before. Intervals in brackets are 95 %. *Anchor* is what a rule of one line or a published method gives;
published figures are of other data and are no comparison in the same run. Generated traffic is ours: that detectors are quiet
in it is evidence about our idea of ordinary traffic, not about yours.

Not everything was fixed before: how much DGA-NAME learns of which kind of names was chosen by E4's figures (its limit was
not); SURPRISE asks for the highest scores of a week since hours of E3 were looked at (told of in a week: 25
clients 1.45, now 0.73; 250 clients, ten days, 5.5, now 1.6); BEACON's and OPS-SILENT's idea of what is new or silent, and HIJ-PATH's of what is known of a delegation, were mended
after they were wrong in E8's and a home's traffic; and the generator was mended where only it did what no network does. None
of these figures is of data that nobody had looked at.
`;

/** The page with these results; sections of others stay as the page `before` has them. */
export function pageOf(results: readonly Result[], before = ''): string {
  const sections = new Map<string, string>();
  for (const text of before.split(/^(?=## )/m).slice(1)) sections.set(idOf(text), text.trimEnd());
  for (const result of results) sections.set(result.experiment.id, section(result).trimEnd());
  const sorted = [...sections.values()].toSorted((a, b) => idOf(a).localeCompare(idOf(b), 'en', { numeric: true }));
  return `${[HEAD, ...sorted].join('\n\n').replace('\n\n\n', '\n\n')}\n`;
}

function idOf(text: string): string {
  return /^## (\S+)/.exec(text)?.[1] ?? '';
}

function section({ experiment: { id, title, method }, figures }: Result): string {
  const head = `## ${id} ${title}\n\n${method}\n`;
  if (figures === undefined) return `${head}\n**Not run**: the labelled data was not there.\n`;
  const rows = figures.map(({ what, value, aim = '', isMet, anchor = '' }) => {
    const verdict = isMet === undefined ? '' : isMet ? 'met' : '**missed**';
    return `| ${[what, value, aim, verdict, anchor].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return `${head}\n| what | figure | aim | | anchor |\n|---|---|---|---|---|\n${rows.join('\n')}\n`;
}
