/** How long does the shortest command take, from the shell's view? */
import { keep, measure, NAMETAP, table } from './measure.ts';

const measured = [
  await measure({ tool: 'nametap', what: '--version', command: [...NAMETAP, '--version'], runs: 11 }),
  await measure({ tool: 'node', what: 'empty script', command: [process.execPath, '-e', ''], runs: 11 }),
  await measure({ tool: 'tshark', what: '--version', command: ['tshark', '--version'], runs: 5 }),
];
process.stdout.write(table(measured, 0));
keep('start', measured);
