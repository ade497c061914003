import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A row of the labelled data's table, as far as it is used. */
export interface LabelRow {
  file: string;
  truth: string;
}

/** Files of a set (`E1`). */
export function labels(folder: string, set: string): LabelRow[] {
  const [head, ...lines] = readFileSync(join(folder, 'LABELS.tsv'), 'utf8').trimEnd().split('\n');
  const columns = head.split('\t');
  const at = (name: string) => columns.indexOf(name);
  return lines
    .map((line) => line.split('\t'))
    .filter((cells) => cells[at('set')] === set)
    .map((cells) => ({
      file: cells[at('file')],
      truth: cells[at('truth')].split(' ')[0],
    }));
}
