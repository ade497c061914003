import type { Experiment, Figure } from './experiment.ts';

export interface Result {
  experiment: Experiment;
  /** Undefined: it could not be run. */
  figures: Figure[] | undefined;
}

const HEAD = `# Evaluation

Written by \`npm run evaluate\`; \`npm run evaluate -- E4\` runs one experiment. Thresholds are the defaults, fixed before. Intervals
in brackets are 95 %. *Anchor* is what a rule of one line or a published method gives; published figures are of other data and
are no comparison in the same run. Generated traffic is ours: that it is quiet is evidence about our idea of ordinary traffic,
not about yours.
`;

/** The page of all results. */
export function pageOf(results: readonly Result[]): string {
  return [HEAD, ...results.map(section)].join('\n');
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
