import type { CommandDefinition } from '../core/definition.ts';
import { EXIT } from '../core/errors.ts';
import type { Check } from '../app/capture.ts';
import { plainText } from '../core/figures.ts';
import { writeStdout } from './stdout.ts';

/** `nametap doctor`: can I capture here, and if not, what to do. */
export const doctor: CommandDefinition = {
  name: 'doctor',
  summary: 'check all that live capture needs, and say what to do',
  options: [{ name: 'json', summary: 'as JSON' }],
  examples: ['nametap doctor  # exit code 1 when something is missing'],
  run: async (_, options) => {
    const { checkCapture } = await import('../app/capture.ts');
    const { startedBy } = await import('../app/input.ts');
    const checks = await checkCapture(startedBy());
    const healthy = checks.every(({ state }) => state !== 'problem');
    const text = options.json === true ? `${JSON.stringify({ healthy, checks }, null, 2)}\n` : checksText(checks);
    writeStdout(Buffer.from(text));
    return healthy ? EXIT.ok : EXIT.usage;
  },
};

function checksText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, state, found, advice }) => {
    const line = `${STATES[state]} ${name.padEnd(width)}  ${plainText(found)}`;
    return advice === undefined ? [line] : [line, `${' '.repeat(width + 10)}${advice}`];
  });
  const problems = checks.filter(({ state }) => state === 'problem').length;
  const verdict =
    problems === 0
      ? 'Live capture works here.'
      : `${problems === 1 ? 'One thing is' : `${problems} things are`} missing.`;
  return `${lines.join('\n')}\n\n${verdict}\n`;
}

const STATES: Record<Check['state'], string> = { ok: 'ok     ', note: 'note   ', problem: 'PROBLEM' };
